// SPDX-License-Identifier: Apache-2.0
// The parts of which the lines of a Program's text consist (text.cpp shows them).
#pragma once
#include <algorithm>
#include <string_view>

#include "base/errors.h"
#include "program/program.h"
#include "program/text_scan.h"

namespace pleat::program {

inline constexpr int64_t kMostRanks = int64_t{1} << 20;
inline constexpr int64_t kMostStages = int64_t{1} << 20;
inline constexpr int64_t kMostDim = int64_t{1} << 40;

template <class Names>
int index_of(const LineScanner& s, const Names& names, std::string_view word, std::string_view what) {
  const auto found = std::find(names.begin(), names.end(), word);
  if (found == names.end())
    s.fail(fmt::format("{}, one of {}, not '{}'", what, fmt::join(names, ", "), word));
  return static_cast<int>(found - names.begin());
}

/// A name out of a fixed set, up to the next separator.
template <class Enum, class Names>
Enum one_of(LineScanner& s, const Names& names, std::string_view what) {
  return static_cast<Enum>(index_of(s, names, s.name(what), what));
}

int32_t small(LineScanner& s, std::string_view what, int64_t least, int64_t most = kMostCount);
std::vector<int32_t> small_integers(LineScanner& s, std::string_view what, int64_t least, int64_t most);
base::Shape parse_shape(LineScanner& s);
Region parse_region(LineScanner& s);
/// Up to and with the word "at".
layout::Placements parse_placements(LineScanner& s);
Instruction parse_instruction(LineScanner& s);
Instance parse_instance(LineScanner& s);

}  // namespace pleat::program
