// SPDX-License-Identifier: Apache-2.0
// How near is near enough. transformers' own fp32 differs from its double run by `noise`; another fp32 engine
// adds another sample of the same noise, with other orders of sums and other polynomials for exp.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "fixture.h"

namespace pleat::parity {
namespace {

// Room for another order of sums. The noise itself is a worst case over thousands of numbers.
constexpr double kRoom = 16;
constexpr double kSingleEpsilon = 0x1p-23;
// The bounds that are never exceeded, however noisy a case is.
constexpr double kLogitsCeiling = 5e-5;
constexpr double kGradientCeiling = 5e-5;
// A gradient that is zero on paper is a sum of terms of order one that cancel.
constexpr double kZeroGradient = 1e-7;

double norm(const std::vector<double>& values) {
  double sum = 0;
  for (double value : values) sum += value * value;
  return std::sqrt(sum);
}

void expect_logits(const Tensor& actual, const Tensor& expected, const Bounds& bounds) {
  double worst = 0;
  std::string where;
  for (size_t i = 0; i < expected.values.size(); ++i) {
    const double bound = bounds.logits + bounds.logits_relative * std::abs(expected.values[i]);
    const double ratio = std::abs(actual.values[i] - expected.values[i]) / bound;
    if (ratio <= worst) continue;  // false for a NaN
    worst = std::isnan(ratio) ? HUGE_VAL : ratio;
    const int64_t vocabulary = expected.shape[2], position = static_cast<int64_t>(i) / vocabulary;
    where =
        fmt::format("logits[{},{},{}] = {:.9g}, transformers {:.9g}, bound {:.2e}, ratio {:.2f}",
                    position / expected.shape[1], position % expected.shape[1],
                    static_cast<int64_t>(i) % vocabulary, actual.values[i], expected.values[i], bound, ratio);
  }
  EXPECT_LE(worst, 1.0) << where;
}

void expect_gradient(const std::string& name, const Tensor& actual, const Tensor& expected,
                     const Bounds& bounds) {
  std::vector<double> difference(expected.values.size());
  for (size_t i = 0; i < difference.size(); ++i) difference[i] = actual.values[i] - expected.values[i];
  const double bound = std::max(bounds.gradient * norm(expected.values), bounds.gradient_absolute);
  const double distance = norm(difference);
  const auto worst = std::max_element(difference.begin(), difference.end(),
                                      [](double a, double b) { return std::abs(a) < std::abs(b); });
  const size_t i = static_cast<size_t>(worst - difference.begin());
  EXPECT_LE(distance, bound) << fmt::format(
      "{}: |difference| {:.2e} of |gradient| {:.2e}, bound {:.2e}, ratio {:.2f}; worst at element {}: "
      "{:.9g}, "
      "transformers {:.9g}",
      name, distance, norm(expected.values), bound, distance / bound, i, actual.values[i],
      expected.values[i]);
}

}  // namespace

Bounds single_bounds(const Noise& noise) {
  Bounds bounds;
  bounds.logits = std::min(kRoom * noise.logits, kLogitsCeiling);
  // A token's loss moves by at most twice the largest move of a logit, and so does the mean.
  bounds.loss = 2 * bounds.logits;
  bounds.gradient = std::min(kRoom * noise.gradient, kGradientCeiling);
  bounds.gradient_absolute = kZeroGradient;
  return bounds;
}

Bounds double_bounds(const Tensors& expected) {
  double largest = 0;
  for (double logit : expected.at("logits").values) largest = std::max(largest, std::abs(logit));
  Bounds bounds;
  // Both sides round the answer to fp32 once; RoPE's frequencies are fp32 powers, of which two libraries may
  // differ in the last bit.
  bounds.logits = kSingleEpsilon * largest;
  bounds.logits_relative = kSingleEpsilon;
  bounds.loss = kSingleEpsilon * expected.at("loss").values[0];
  bounds.gradient = 2 * kSingleEpsilon;
  bounds.gradient_absolute = kSingleEpsilon * kZeroGradient;
  return bounds;
}

void expect_equal(const Tensors& actual, const Tensors& expected, const Bounds& bounds) {
  ASSERT_TRUE(actual.contains("logits") && actual.contains("loss"));
  ASSERT_EQ(actual.at("logits").shape, expected.at("logits").shape);
  ASSERT_EQ(actual.at("loss").values.size(), 1u);
  expect_logits(actual.at("logits"), expected.at("logits"), bounds);
  EXPECT_NEAR(actual.at("loss").values[0], expected.at("loss").values[0], bounds.loss);
  for (const auto& [name, tensor] : expected) {
    if (!name.starts_with("grad.")) continue;
    const auto found = actual.find(name);
    ASSERT_NE(found, actual.end()) << name << " is missing";
    ASSERT_EQ(found->second.shape, tensor.shape) << name;
    expect_gradient(name, found->second, tensor, bounds);
  }
  for (const auto& [name, tensor] : actual)
    EXPECT_TRUE(!name.starts_with("grad.") || expected.contains(name))
        << name << " is no parameter of the model";
}

}  // namespace pleat::parity
