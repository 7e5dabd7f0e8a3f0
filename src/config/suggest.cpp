// SPDX-License-Identifier: Apache-2.0
#include "config/suggest.h"

#include <fmt/format.h>

#include <algorithm>

namespace pleat::config {

int edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<int>> cost(a.size() + 1, std::vector<int>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) cost[i][0] = static_cast<int>(i);
  for (size_t j = 0; j <= b.size(); ++j) cost[0][j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i)
    for (size_t j = 1; j <= b.size(); ++j) {
      const int replaced = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  return cost[a.size()][b.size()];
}

std::string nearest(std::string_view wrong, std::span<const std::string> words) {
  constexpr size_t kLongest = 200;  // nobody misspells a word this long, and the table above is quadratic
  if (wrong.size() > kLongest) return {};
  const std::string* best = nullptr;
  int best_distance = std::max(2, static_cast<int>(wrong.size()) / 3) + 1;
  for (const std::string& word : words) {
    const int distance = edit_distance(wrong, word);
    if (distance < best_distance) best_distance = distance, best = &word;
  }
  return best ? *best : std::string();
}

std::string did_you_mean(std::string_view meant) {
  return meant.empty() ? "" : fmt::format(": did you mean {}?", meant);
}

std::vector<int64_t> divisors(int64_t n) {
  std::vector<int64_t> low, high;
  for (int64_t i = 1; i <= n / i; ++i)
    if (n % i == 0) {
      low.push_back(i);
      if (i != n / i) high.push_back(n / i);
    }
  low.insert(low.end(), high.rbegin(), high.rend());
  return low;
}

std::vector<int64_t> nearest_multiples(int64_t n, int64_t unit) {
  const int64_t below = n / unit * unit;
  if (below == 0) return {unit};
  return {below, below + unit};
}

}  // namespace pleat::config
