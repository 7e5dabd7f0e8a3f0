// SPDX-License-Identifier: Apache-2.0
#include "cli/names.h"

#include "base/errors.h"
#include "config/keys.h"
#include "config/scalars.h"
#include "config/yaml.h"

namespace pleat::cli {

config::Precision precision_named(std::string_view name) {
  for (size_t i = 0; i < config::kPrecisionNames.size(); ++i)
    if (config::kPrecisionNames[i] == name) return static_cast<config::Precision>(i);
  base::fail<base::JobError>("unknown dtype '{}': choose one of {}", name,
                             fmt::join(config::kPrecisionNames, ", "));
}

base::Rank rank_of(int64_t number, const layout::Layout& layout) {
  if (number >= layout.world())
    base::fail<base::JobError>("--rank {}: this layout ({}) has ranks 0 to {}", number, layout.name(),
                               layout.world() - 1);
  return base::Rank(number);
}

config::LayoutSettings layout_settings(std::span<const std::string> overrides) {
  config::Job job;
  for (const std::string& override : overrides) {
    const config::YamlEntry entry = config::read_override(override);
    const config::Key* key = config::find_key(entry.path);
    if (key == nullptr || !entry.path.starts_with("layout."))
      base::fail<base::JobError>("{}: '{}' cannot be changed here, only the layout: layout.{}", entry.where,
                                 entry.path, fmt::join(config::names_under("layout"), ", layout."));
    config::assign(*key, entry, job);
  }
  config::check_fields(job, "layout",
                       [](std::string_view key) { return fmt::format("command line: {}", key); });
  return job.layout;
}

}  // namespace pleat::cli
