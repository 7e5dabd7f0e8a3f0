// SPDX-License-Identifier: Apache-2.0
// The part of YAML that a job may use: nested mappings, plain and quoted scalars, lists of scalars. Read from
// the parser's events, because its tree hides duplicate keys, anchors and tags.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace pleat::config {

struct YamlScalar {
  std::string text;
  bool plain = true;  // not quoted
};

struct YamlEntry {
  enum class Kind { section, scalar, list };
  std::string path;  // keys joined by dots
  Kind kind = Kind::scalar;
  std::vector<YamlScalar> values;
  std::string where;  // "job.yaml:14"
};

/// In the order of the text. Throws JobError for what is not YAML and for what this subset leaves out.
std::vector<YamlEntry> read_yaml(std::string_view text, std::string_view file);
/// One `key.path=value` of a command line.
YamlEntry read_override(std::string_view text);

}  // namespace pleat::config
