// SPDX-License-Identifier: Apache-2.0
// YAML text and overrides -> Job: every entry finds its key, the family and the rope type give the defaults,
// then the rules.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fstream>
#include <sstream>

#include "base/errors.h"
#include "config/keys.h"
#include "config/scalars.h"
#include "config/suggest.h"
#include "config/yaml.h"

namespace pleat::config {
namespace {

using base::fail;
using base::JobError;

/// The full path that was probably meant: the nearest key beside it, or a key of that last name anywhere.
std::string suggestion(std::string_view path) {
  std::vector<std::string> paths;
  const size_t dot = path.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? path : path.substr(dot + 1);
  for (const Key& key : job_keys()) {
    if (key.path.size() > last.size() && key.path.ends_with(last) &&
        key.path[key.path.size() - last.size() - 1] == '.')
      return std::string(key.path);
    paths.emplace_back(key.path);
    for (size_t end = key.path.find('.'); end != std::string_view::npos; end = key.path.find('.', end + 1))
      paths.emplace_back(key.path.substr(0, end));
  }
  if (dot != std::string_view::npos && is_section(path.substr(0, dot))) {
    const std::string beside = nearest(last, names_under(path.substr(0, dot)));
    return beside.empty() ? "" : fmt::format("{}.{}", path.substr(0, dot), beside);
  }
  return nearest(path, paths);
}

[[noreturn]] void refuse_unknown(const YamlEntry& entry) {
  std::string_view section = entry.path;
  do {
    const size_t dot = section.rfind('.');
    section = dot == std::string_view::npos ? std::string_view() : section.substr(0, dot);
    if (const Key* key = find_key(section))
      fail<JobError>("{}: {} takes {}, not a mapping", entry.where, key->path, kind_of(key->field));
  } while (!section.empty() && !is_section(section));
  fail<JobError>("{}: unknown key {}{}; the keys {} are {}", entry.where, entry.path,
                 did_you_mean(suggestion(entry.path)),
                 section.empty() ? "of a job" : fmt::format("under {}", section),
                 fmt::join(names_under(section), ", "));
}

void check_known(const YamlEntry& entry) {
  if (find_key(entry.path)) {
    if (entry.kind == YamlEntry::Kind::section)
      fail<JobError>("{}: {} takes {}, not a mapping", entry.where, entry.path,
                     kind_of(find_key(entry.path)->field));
    return;
  }
  if (!is_section(entry.path)) refuse_unknown(entry);
  if (entry.kind != YamlEntry::Kind::section)
    fail<JobError>("{}: {} is a section, not a value: its keys are {}", entry.where, entry.path,
                   fmt::join(names_under(entry.path), ", "));
}

/// The written leaves by key; an override replaces what the file says, a later override an earlier one.
using Entries = std::map<std::string, YamlEntry, std::less<>>;

Entries collect(std::string_view text, std::string_view file, std::span<const std::string> overrides) {
  Entries entries;
  const auto put = [&](YamlEntry entry) {
    check_known(entry);
    if (entry.kind != YamlEntry::Kind::section) entries.insert_or_assign(entry.path, std::move(entry));
  };
  for (YamlEntry& entry : read_yaml(text, file)) put(std::move(entry));
  for (const std::string& override : overrides) put(read_override(override));
  return entries;
}

void assign_if_written(const Entries& entries, std::string_view path, Job& job) {
  if (const auto found = entries.find(path); found != entries.end())
    assign(*find_key(path), found->second, job);
}

void assign_all(const Entries& entries, Job& job) {
  // These two decide which other keys mean something.
  assign_if_written(entries, "model.family", job);
  apply_family_defaults(job);
  assign_if_written(entries, "model.rope_parameters.rope_type", job);
  for (const Key& key : job_keys()) {
    const auto found = entries.find(key.path);
    if (found == entries.end()) continue;
    job.positions.places.emplace(key.path, found->second.where);
    assign(key, found->second, job);
    if (key.scope->holds(job)) continue;
    if (job.model.family == Family::unset)
      fail<JobError>("{}: {} needs model.family, one of {}{}", found->second.where, key.path,
                     fmt::join(std::span(kFamilyNames).subspan(1), ", "),
                     job.model_directory.empty() ? "" : "; model.directory alone brings its own");
    fail<JobError>("{}: {} is a key of {}; this job has family {}, rope type {}", found->second.where,
                   key.path, key.scope->words, name_of(job.model.family), name_of(job.model.rope.type));
  }
}

void check_required(const Entries& entries, const Job& job, std::string_view file) {
  for (const Key& key : job_keys())
    if (key.required && key.required->holds(job) && !entries.contains(key.path))
      fail<JobError>("{}: {} is missing: {} ({})", file, key.path, kind_of(key.field), key.help);
}

}  // namespace

std::string Job::where(std::string_view key) const {
  const auto found = positions.places.find(key);
  return found == positions.places.end() ? "by default" : found->second;
}

Job parse_job(std::string_view text, std::string_view file, std::span<const std::string> overrides) {
  const Entries entries = collect(text, file, overrides);
  Job job;
  assign_all(entries, job);
  if (job.model.family == Family::unset && job.model_directory.empty())
    fail<JobError>(
        "{}: model.family is missing: one of {}; or name a Hugging Face directory in model.directory", file,
        fmt::join(std::span(kFamilyNames).subspan(1), ", "));
  check_required(entries, job, file);
  resolve_defaults(job, [&](std::string_view path) { return entries.contains(path); });
  check_job(job);
  return job;
}

Job read_job(const std::string& path, std::span<const std::string> overrides) {
  std::ifstream stream(path, std::ios::binary);
  stream.peek();  // a directory opens and fails here; an empty file ends here
  if (!stream.is_open() || stream.bad()) fail<JobError>("{}: cannot be read; a job is a YAML file", path);
  std::ostringstream text;
  if (!stream.eof()) text << stream.rdbuf();
  return parse_job(text.str(), path, overrides);
}

}  // namespace pleat::config
