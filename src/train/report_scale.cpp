// SPDX-License-Identifier: Apache-2.0
// Axes, ticks, downsampling and smoothing.
#include "train/report_scale.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/errors.h"

namespace pleat::train {

namespace {

/// 1, 2 or 5 times a power of ten, at or above `raw`.
double round_step(double raw) {
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= raw * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

/// A range of (nearly) no width, as a constant curve has, gets some.
void give_width(double& low, double& high) {
  if (high - low > 1e-8 * std::max(std::abs(low), std::abs(high))) return;
  const double margin = low == 0 ? 1 : 0.1 * std::abs(low);
  low -= low == 0 ? 0 : margin;
  high += margin;
}

void add_ticks(Axis& axis, double step) {
  const auto first = static_cast<int64_t>(std::ceil(axis.low / step - 1e-6));
  const auto last = static_cast<int64_t>(std::floor(axis.high / step + 1e-6));
  for (int64_t i = first; i <= last; ++i) axis.ticks.push_back(static_cast<double>(i) * step);
}

double trimmed_mean(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  const auto cut = static_cast<long>(values.size() / 5);
  return std::accumulate(values.begin() + cut, values.end() - cut, 0.0) /
         static_cast<double>(static_cast<long>(values.size()) - 2 * cut);  // NaN when there is none
}

std::string scientific(double value) {
  const int exponent = static_cast<int>(std::floor(std::log10(std::abs(value)) + 1e-9));
  return fmt::format("{:.3g}e{}", value / std::pow(10, exponent), exponent);
}

}  // namespace

double Axis::position(double value) const {
  if (logarithmic) return std::log(value / low) / std::log(high / low);
  return (value - low) / (high - low);
}

Axis tight_axis(double low, double high, int wanted) {
  give_width(low, high);
  Axis axis{.low = low, .high = high};
  add_ticks(axis, round_step((high - low) / wanted));
  return axis;
}

Axis widened_axis(double low, double high, int wanted) {
  give_width(low, high);
  const double step = round_step((high - low) / wanted);
  Axis axis{.low = std::floor(low / step + 1e-9) * step, .high = std::ceil(high / step - 1e-9) * step};
  add_ticks(axis, step);
  return axis;
}

Axis logarithmic_axis(double low, double high) {
  Axis axis{.logarithmic = true, .low = low / 1.1, .high = high * 1.1};
  const bool few = axis.high / axis.low < 300;
  for (double power = std::pow(10, std::floor(std::log10(axis.low))); power <= axis.high; power *= 10)
    for (const double factor : {1.0, 2.0, 5.0})
      if ((few || factor == 1.0) && factor * power >= axis.low && factor * power <= axis.high)
        axis.ticks.push_back(factor * power);
  return axis;
}

std::vector<std::string> tick_labels(const Axis& axis) {
  std::vector<std::string> labels;
  double largest = 0, step = 0;
  for (const double tick : axis.ticks) largest = std::max(largest, std::abs(tick));
  if (axis.ticks.size() > 1) step = axis.ticks[1] - axis.ticks[0];
  const double unit = largest >= 1e10 ? 1e9 : largest >= 1e7 ? 1e6 : largest >= 1e4 ? 1e3 : 1;
  const char* suffix = unit == 1e9 ? "G" : unit == 1e6 ? "M" : unit == 1e3 ? "k" : "";
  const auto decimals =
      step <= 0 ? 0 : std::max(0, static_cast<int>(std::ceil(-std::log10(step / unit) - 1e-9)));
  for (const double tick : axis.ticks) {
    if (std::abs(tick) < 1e-9 * largest)
      labels.push_back("0");
    else if (largest < 1e-2 || (axis.logarithmic && std::abs(tick) < 1e-2))
      labels.push_back(scientific(tick));
    else if (axis.logarithmic || axis.ticks.size() == 1)
      labels.push_back(fmt::format("{:.4g}{}", tick / unit, suffix));
    else
      labels.push_back(fmt::format("{:.{}f}{}", tick / unit, decimals, suffix));
  }
  return labels;
}

std::vector<size_t> downsample(std::span<const double> values, size_t buckets) {
  std::vector<size_t> kept;
  const size_t n = values.size();
  buckets = std::max<size_t>(1, std::min(buckets, n));
  for (size_t bucket = 0; n > 0 && bucket < buckets; ++bucket) {
    const size_t begin = n * bucket / buckets, end = n * (bucket + 1) / buckets;
    size_t least = n, greatest = n, gap = n;
    for (size_t i = begin; i < end; ++i) {
      if (!std::isfinite(values[i])) {
        gap = i;
        continue;
      }
      if (least == n || values[i] < values[least]) least = i;
      if (greatest == n || values[i] > values[greatest]) greatest = i;
    }
    for (const size_t i : {least, greatest, gap})
      if (i < n) kept.push_back(i);
  }
  if (n > 0) kept.insert(kept.end(), {0, n - 1});
  std::sort(kept.begin(), kept.end());
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
  return kept;
}

std::vector<double> moving_average(std::span<const double> values, size_t reach, std::span<const size_t> at) {
  constexpr size_t kMost = 400;  // values looked at for one average: a longer window is thinned
  std::vector<double> averages, window;
  for (const size_t i : at) {
    const size_t half = std::min(reach, i / 3), stride = 1 + 2 * half / kMost;
    window.clear();
    for (size_t j = i - half; j < std::min(i + half + 1, values.size()); j += stride)
      if (std::isfinite(values[j])) window.push_back(values[j]);
    averages.push_back(trimmed_mean(window));
  }
  return averages;
}

double median(std::span<const double> values) {
  std::vector<double> finite;
  std::copy_if(values.begin(), values.end(), std::back_inserter(finite),
               [](double x) { return std::isfinite(x); });
  if (finite.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = finite.begin() + static_cast<long>(finite.size() / 2);
  std::nth_element(finite.begin(), middle, finite.end());
  if (finite.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(finite.begin(), middle)) / 2;
}

}  // namespace pleat::train
