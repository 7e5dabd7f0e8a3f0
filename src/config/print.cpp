// SPDX-License-Identifier: Apache-2.0
// Job -> canonical YAML: every key that means something in this job, in the table's order.
#include <fmt/format.h>

#include <algorithm>

#include "config/keys.h"
#include "config/scalars.h"

namespace pleat::config {
namespace {

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> parts;
  for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    parts.push_back(path.substr(0, dot));
    path.remove_prefix(dot + 1);
  }
  parts.push_back(path);
  return parts;
}

}  // namespace

std::string print_job(const Job& job) {
  Job copy = job;  // the table's accessors are for reading and writing
  std::string text;
  std::vector<std::string_view> open;  // sections of the line before
  for (const Key& key : job_keys()) {
    if (!key.scope->holds(job)) continue;
    const std::vector<std::string_view> parts = split(key.path);
    size_t depth = 0;
    while (depth < open.size() && depth + 1 < parts.size() && open[depth] == parts[depth]) ++depth;
    open.assign(parts.begin(), parts.end() - 1);
    for (; depth + 1 < parts.size(); ++depth) text += fmt::format("{:{}}{}:\n", "", 2 * depth, parts[depth]);
    text += fmt::format("{:{}}{}: {}\n", "", 2 * depth, parts[depth], written(key.field, copy));
  }
  return text;
}

}  // namespace pleat::config
