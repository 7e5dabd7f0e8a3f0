// SPDX-License-Identifier: Apache-2.0
// The comparisons themselves: what they must not let pass.
#include "compare.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "jobs.h"

namespace pleat::equivalence {
namespace {

class Comparisons : public ::testing::Test {
 protected:
  Jobs jobs;
  config::Job job = jobs.job(TinyModel::balanced, {"train.steps=2", "optimizer.warmup_steps=0"});
  Recording want = record(job);
};

double& middle(Tensors& tensors, const std::string& name) {
  std::vector<double>& values = tensors.at(name);
  return values[values.size() / 2];
}

TEST_F(Comparisons, ARecordingHoldsEverything) {
  ASSERT_EQ(want.steps.size(), 2u);
  for (const StepRecord& step : want.steps) {
    EXPECT_EQ(step.token_losses.size(), 8u * 12u);
    EXPECT_EQ(step.gradients.size(), want.after[0].size());
    for (double loss : step.token_losses) EXPECT_GT(loss, 0);
  }
  for (const auto& [name, values] : want.after[0]) {
    EXPECT_NE(values, want.steps[0].before[0].at(name)) << name;
    EXPECT_EQ(values.size(), want.steps[1].gradients.at(name).size()) << name;
    for (double value : values) ASSERT_TRUE(std::isfinite(value)) << name;
  }
  EXPECT_TRUE(same_bits(want.steps[0].before[1], want.steps[0].before[2], "moments")) << "both begin at zero";
}

TEST_F(Comparisons, OneBitIsNotTheSame) {
  Recording got = want;
  EXPECT_TRUE(same_bits(got, want));
  double& value = middle(got.after[2], "model.layers.1.mlp.experts.down_proj");
  value = std::nextafter(static_cast<float>(value), 1.0f);
  EXPECT_FALSE(same_bits(got, want));
  got = want;
  got.steps[1].token_losses[17] *= 1 + std::ldexp(1.0, -20);
  EXPECT_FALSE(same_bits(got, want));
  got = want;
  got.steps[1].gradients.erase("lm_head.weight");
  EXPECT_FALSE(same_bits(got, want));
}

/// A ten-thousandth of one number is too much, in any tensor: nothing that a layout could forget is as small.
TEST_F(Comparisons, ATenThousandthIsNoOrderOfSums) {
  const std::vector<Tensors> terms = magnitudes(job, want);
  Recording got = want;
  EXPECT_TRUE(within_order_of_sums(got, want, terms, 8, 96));
  for (auto& [name, gradient] : got.steps[1].gradients) {
    const auto most = std::max_element(gradient.begin(), gradient.end(),
                                       [](double a, double b) { return std::abs(a) < std::abs(b); });
    const double before = *most;
    for (double wrong : {before * (1 + 1e-4), 0.0, std::nan("")}) {
      *most = wrong;
      EXPECT_FALSE(within_order_of_sums(got, want, terms, 8, 96)) << name;
    }
    *most = before;
  }
}

/// Nor can a weight be off by a ten-thousandth of one step's movement.
TEST_F(Comparisons, ATenThousandthIsNoRounding) {
  const Recording exact =
      record(jobs.job(TinyModel::balanced, {"train.steps=2", "optimizer.warmup_steps=0", "precision=fp64"}));
  Recording got = want;
  EXPECT_TRUE(within_roundings(got, want, exact));
  for (auto& [name, values] : got.after[0]) {
    double& value = values[values.size() / 2];
    const double before = value;
    value += 1e-4 * job.optimizer.learning_rate;
    EXPECT_FALSE(within_roundings(got, want, exact)) << name;
    value = before;
  }
}

}  // namespace
}  // namespace pleat::equivalence
