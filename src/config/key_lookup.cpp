// SPDX-License-Identifier: Apache-2.0
// Questions to the table of keys: which exist, which lie under a section, what a key takes.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/keys.h"

namespace pleat::config {

const Key* find_key(std::string_view path) {
  for (const Key& key : job_keys())
    if (key.path == path) return &key;
  return nullptr;
}

bool is_section(std::string_view path) {
  return !names_under(path).empty();
}

std::vector<std::string> names_under(std::string_view section) {
  std::vector<std::string> names;
  for (const Key& key : job_keys()) {
    std::string_view rest = key.path;
    if (!section.empty()) {
      if (!rest.starts_with(section) || rest.size() == section.size() || rest[section.size()] != '.')
        continue;
      rest.remove_prefix(section.size() + 1);
    }
    std::string name(rest.substr(0, rest.find('.')));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

namespace {

struct KindOf {
  std::string operator()(const IntegerField&) const { return "an integer"; }
  std::string operator()(const NumberField&) const { return "a number"; }
  std::string operator()(const BooleanField&) const { return "true or false"; }
  std::string operator()(const TextField&) const { return "a text"; }
  std::string operator()(const ChoiceField& field) const {
    return fmt::format("one of {}", fmt::join(field.names.subspan(field.first), ", "));
  }
  std::string operator()(const IntegersField&) const { return "a list of integers"; }
  std::string operator()(const TextsField&) const { return "a list of texts"; }
};

}  // namespace

std::string kind_of(const Field& field) {
  return std::visit(KindOf{}, field);
}

std::string describe_keys() {
  std::string text;
  for (const Key& key : job_keys())
    text += fmt::format("{:<56} {}: {}\n", key.path, kind_of(key.field), key.help);
  return text;
}

}  // namespace pleat::config
