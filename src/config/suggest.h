// SPDX-License-Identifier: Apache-2.0
// "did you mean": the legal word nearest to a wrong one.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pleat::config {

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
int edit_distance(std::string_view a, std::string_view b);
/// The nearest of `words`, or an empty text when none is near enough to be meant.
std::string nearest(std::string_view wrong, std::span<const std::string> words);
/// ": did you mean dp?", or an empty text when nothing is meant.
std::string did_you_mean(std::string_view meant);
/// A positive integer's divisors, ascending.
std::vector<int64_t> divisors(int64_t n);
/// The multiples of `unit` next below and next above `n` (only positive ones).
std::vector<int64_t> nearest_multiples(int64_t n, int64_t unit);

}  // namespace pleat::config
