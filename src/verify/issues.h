// SPDX-License-Identifier: Apache-2.0
// Where the properties leave what they find. A defect often shows in every micro-batch: the first few are
// told, the rest is counted.
#pragma once
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "verify/verify.h"

namespace pleat::verify {

class Issues {
 public:
  Issues(std::string property, int most) : property_(std::move(property)), most_(most) {}

  template <class... Arguments>
  void add(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    if (found_++ < most_)
      issues_.push_back({property_, fmt::format(text, std::forward<Arguments>(arguments)...)});
  }
  bool empty() const { return found_ == 0; }
  /// True when nothing more would be told: a walk may end.
  bool full() const { return found_ >= most_; }
  const std::string& property() const { return property_; }
  std::vector<Issue> take() {
    if (found_ > most_) issues_.push_back({property_, fmt::format("and {} more", found_ - most_)});
    return std::move(issues_);
  }

 private:
  std::string property_;
  int most_;
  int found_ = 0;
  std::vector<Issue> issues_;
};

}  // namespace pleat::verify
