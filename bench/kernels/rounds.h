// SPDX-License-Identifier: Apache-2.0
// Two things timed in turns, so that the machine's moods hit both: the median over rounds of the ratio of
// their times.
#pragma once
#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

namespace pleat::bench {

inline constexpr int kRounds = 9;

struct Ratio {
  double ours = 0;   // best seconds of one call
  double other = 0;  // best seconds of one call
  double speed = 0;  // median of other / ours: above 1, ours is faster
};

template <class Body>
double seconds_of(Body&& body, int calls) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i) body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / calls;
}

template <class Ours, class Other>
Ratio in_turns(Ours&& ours, Other&& other) {
  const auto calls_for = [](double seconds) { return std::clamp(static_cast<int>(0.02 / seconds), 1, 1000); };
  const int our_calls = calls_for(seconds_of(ours, 1)), other_calls = calls_for(seconds_of(other, 1));
  std::vector<double> ratios;
  Ratio best{HUGE_VAL, HUGE_VAL, 0};
  for (int round = 0; round < kRounds; ++round) {
    const double a = seconds_of(ours, our_calls), b = seconds_of(other, other_calls);
    best.ours = std::min(best.ours, a);
    best.other = std::min(best.other, b);
    ratios.push_back(b / a);
  }
  std::nth_element(ratios.begin(), ratios.begin() + kRounds / 2, ratios.end());
  best.speed = ratios[kRounds / 2];
  return best;
}

}  // namespace pleat::bench
