// SPDX-License-Identifier: Apache-2.0
// Axes, ticks, downsampling and the moving average of the report.
#include "train/report_scale.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>

namespace pleat::train {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
using Labels = std::vector<std::string>;

TEST(ReportScale, TicksAreOneTwoOrFive) {
  EXPECT_EQ(tick_labels(widened_axis(1.31, 5.55, 6)), (Labels{"1", "2", "3", "4", "5", "6"}));
  EXPECT_EQ(tick_labels(widened_axis(1.41, 1.66, 6)),
            (Labels{"1.40", "1.45", "1.50", "1.55", "1.60", "1.65", "1.70"}));
  EXPECT_EQ(tick_labels(widened_axis(0, 18900, 4)), (Labels{"0", "5k", "10k", "15k", "20k"}));
  EXPECT_EQ(tick_labels(widened_axis(0, 1e-3, 4)), (Labels{"0", "5e-4", "1e-3"}));
  EXPECT_EQ(tick_labels(tight_axis(1, 1500, 10)),
            (Labels{"200", "400", "600", "800", "1000", "1200", "1400"}));
}

TEST(ReportScale, LogarithmicTicks) {
  EXPECT_EQ(tick_labels(logarithmic_axis(0.01, 1000)), (Labels{"0.01", "0.1", "1", "10", "100", "1000"}));
  const Axis axis = logarithmic_axis(0.5, 50);
  EXPECT_EQ(tick_labels(axis), (Labels{"0.5", "1", "2", "5", "10", "20", "50"}));
  EXPECT_NEAR(axis.position(5), 0.5, 1e-12);
}

/// Whatever the range: the data lies inside, the ticks too, they are few and their labels differ.
TEST(ReportScale, EveryRangeGetsAnAxis) {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> exponent(-12, 12), unit(-1, 1);
  for (int i = 0; i < 2000; ++i) {
    const double a = unit(random) * std::pow(10, exponent(random)),
                 b = a + unit(random) * std::pow(10, exponent(random));
    const double low = std::min(a, b), high = std::max(a, b);
    const double slack = 1e-9 * std::max(std::abs(low), std::abs(high));
    const Axis axis = widened_axis(low, high, 5);
    ASSERT_LE(axis.low, low + slack);
    ASSERT_GE(axis.high, high - slack);
    ASSERT_GE(axis.ticks.size(), 2u) << low << " " << high;
    ASSERT_LE(axis.ticks.size(), 13u) << low << " " << high;
    ASSERT_NEAR(axis.position(axis.ticks.front()), 0, 1e-6);
    ASSERT_NEAR(axis.position(axis.ticks.back()), 1, 1e-6);
  }
}

TEST(ReportScale, AConstantCurveHasAnAxis) {
  for (const double value : {0.0, 1.0, -3.0, 1e-5, 7e8}) {
    const Axis axis = widened_axis(value, value, 4);
    EXPECT_LE(axis.low, value);
    EXPECT_GT(axis.high, value);
    EXPECT_GE(axis.ticks.size(), 2u);
  }
}

TEST(ReportScale, DownsamplingKeepsEndsExtremesAndGaps) {
  std::vector<double> values(100'000);
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> unit(0, 1);
  for (double& value : values) value = unit(random);
  values[31'415] = 50;
  values[31'416] = -50;
  values[77'777] = kNaN;
  const std::vector<size_t> kept = downsample(values, 300);
  EXPECT_LE(kept.size(), 3 * 300u + 2);
  EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end()));
  EXPECT_EQ(std::set<size_t>(kept.begin(), kept.end()).size(), kept.size());
  EXPECT_EQ(kept.front(), 0u);
  EXPECT_EQ(kept.back(), values.size() - 1);
  for (const size_t i : {31'415u, 31'416u, 77'777u})
    EXPECT_TRUE(std::binary_search(kept.begin(), kept.end(), i)) << i;
}

TEST(ReportScale, ShortCurvesStayWhole) {
  EXPECT_TRUE(downsample({}, 10).empty());
  for (size_t n = 1; n <= 40; ++n) {
    const std::vector<size_t> kept = downsample(std::vector<double>(n, 1.0), 40);
    EXPECT_EQ(kept.size(), n);
  }
}

TEST(ReportScale, AverageFollowsASteepStartAndIgnoresSpikes) {
  std::vector<double> values;
  for (int i = 0; i < 3000; ++i) values.push_back(5 * std::exp(-i / 30.0) + 1);
  const std::vector<size_t> at{0, 10, 30, 100, 1500, 2999};
  const std::vector<double> smooth = moving_average(values, 60, at);
  // Within the window of i +- i / 3 an exponential of scale 30 leaves its centre by at most a factor exp(i /
  // 90).
  for (size_t k = 0; k < at.size(); ++k) {
    const double reach = static_cast<double>(std::min<size_t>(60, at[k] / 3)) / 30;
    EXPECT_NEAR(smooth[k], values[at[k]], (values[at[k]] - 1) * (std::exp(reach) - 1) + 1e-12) << at[k];
  }
  values[1490] = 1e9;
  values[1510] = kNaN;
  EXPECT_NEAR(moving_average(values, 60, at)[4], 1, 1e-6);
}

TEST(ReportScale, AverageOfNothingIsAGap) {
  const std::vector<double> values(10, kNaN);
  const std::vector<size_t> at{0, 5};
  for (const double value : moving_average(values, 3, at)) EXPECT_TRUE(std::isnan(value));
}

TEST(ReportScale, Median) {
  EXPECT_EQ(median(std::vector<double>{3, 1, 2}), 2);
  EXPECT_EQ(median(std::vector<double>{4, 1, kNaN, 2, 3}), 2.5);
  EXPECT_TRUE(std::isnan(median(std::vector<double>{kNaN})));
}

}  // namespace
}  // namespace pleat::train
