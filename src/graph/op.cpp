// SPDX-License-Identifier: Apache-2.0
#include "graph/op.h"

#include <algorithm>

#include "base/errors.h"

namespace pleat::graph {

using base::CheckError;
using base::fail;

Op op_named(std::string_view name) {
  const auto found = std::find(kOpNames.begin(), kOpNames.end(), name);
  if (found != kOpNames.end()) return static_cast<Op>(found - kOpNames.begin());
  fail<base::JobError>("unknown operation '{}': choose one of {}", name, fmt::join(kOpNames, ", "));
}

Attributes::Attributes(std::initializer_list<std::pair<std::string_view, Value>> entries) {
  for (const auto& [name, value] : entries) set(name, value);
}

void Attributes::set(std::string_view name, Value value) {
  const auto place =
      std::lower_bound(entries_.begin(), entries_.end(), name,
                       [](const auto& entry, std::string_view key) { return entry.first < key; });
  if (place != entries_.end() && place->first == name) {
    place->second = std::move(value);
  } else {
    entries_.emplace(place, name, std::move(value));
  }
}

bool Attributes::has(std::string_view name) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const auto& entry) { return entry.first == name; });
}

const Attributes::Value& Attributes::at(std::string_view name) const {
  for (const auto& [key, value] : entries_)
    if (key == name) return value;
  fail<CheckError>("no attribute '{}'", name);
}

int64_t Attributes::integer(std::string_view name) const {
  if (const auto* value = std::get_if<int64_t>(&at(name))) return *value;
  fail<CheckError>("attribute '{}' is not an integer", name);
}

double Attributes::number(std::string_view name) const {
  if (const auto* value = std::get_if<double>(&at(name))) return *value;
  return static_cast<double>(integer(name));
}

const std::string& Attributes::word(std::string_view name) const {
  if (const auto* value = std::get_if<std::string>(&at(name))) return *value;
  fail<CheckError>("attribute '{}' is not a word", name);
}

int64_t Attributes::integer_or(std::string_view name, int64_t otherwise) const {
  return has(name) ? integer(name) : otherwise;
}

}  // namespace pleat::graph
