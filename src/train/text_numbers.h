// SPDX-License-Identifier: Apache-2.0
// Numbers for texts, in the order of their first use: a timeline has tens of thousands of spans in which a
// few hundred texts occur, so profile.json and report.html write each text once.
#pragma once
#include <map>
#include <string>
#include <vector>

namespace pleat::train {

class TextNumbers {
 public:
  size_t of(const std::string& text) {
    const auto [entry, fresh] = numbers_.try_emplace(text, list_.size());
    if (fresh) list_.push_back(text);
    return entry->second;
  }
  const std::vector<std::string>& list() const { return list_; }

 private:
  std::map<std::string, size_t> numbers_;
  std::vector<std::string> list_;
};

}  // namespace pleat::train
