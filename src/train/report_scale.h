// SPDX-License-Identifier: Apache-2.0
// The arithmetic of a chart: axes with sensible ticks, long curves made short, a smoothed curve.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace pleat::train {

/// Linear or logarithmic map of [low, high] to [0, 1], with the values that deserve a label.
struct Axis {
  bool logarithmic = false;
  double low = 0, high = 1;
  std::vector<double> ticks{};
  double position(double value) const;
};

/// Ticks at 1, 2 or 5 times a power of ten, about `wanted` of them, within [low, high].
Axis tight_axis(double low, double high, int wanted);
/// The same with both ends widened to a tick.
Axis widened_axis(double low, double high, int wanted);
/// Decades, with 2 and 5 between them where there are few; low > 0.
Axis logarithmic_axis(double low, double high);

/// One label a tick, alike in decimals and unit: "0.5" "1.0"; "10k" "20k"; "1e-4" "2e-4".
std::vector<std::string> tick_labels(const Axis& axis);

/// Ascending indices of the points worth drawing: the ends, the least and the greatest of each bucket, one
/// that is not finite where there is any. No spike is lost, whatever the length.
std::vector<size_t> downsample(std::span<const double> values, size_t buckets);

/// Means of the middle three fifths of the finite values within `reach` of each of `at`: a spike moves
/// nothing. Towards the start, where curves are steep, the window shrinks on both sides; at the end it is
/// cut.
std::vector<double> moving_average(std::span<const double> values, size_t reach, std::span<const size_t> at);

/// Of the finite values; NaN when there is none.
double median(std::span<const double> values);

}  // namespace pleat::train
