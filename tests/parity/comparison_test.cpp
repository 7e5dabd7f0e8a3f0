// SPDX-License-Identifier: Apache-2.0
// The comparison of parity notices what it must: one wrong logit, one wrong gradient, a missing or an extra
// one.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fixture.h"

namespace pleat::parity {
namespace {

const Bounds kBounds{.logits = 1e-5, .loss = 2e-5, .gradient = 1e-5, .gradient_absolute = 1e-7};

Tensors answer() {
  return {{"logits", {{1, 2, 2}, {0.5, -1, 2, 3}}},
          {"loss", {{}, {1.25}}},
          {"grad.a", {{2}, {3, 4}}},
          {"grad.unused", {{2}, {0, 0}}}};
}

TEST(Comparison, AcceptsWhatLiesWithinTheBounds) {
  Tensors actual = answer();
  actual["logits"].values[3] += 0.9e-5;
  actual["loss"].values[0] -= 1.9e-5;
  actual["grad.a"].values[0] += 4.9e-5;  // of a gradient of length 5
  actual["grad.unused"].values[1] = 0.9e-7;
  expect_equal(actual, answer(), kBounds);
}

TEST(Comparison, NamesTheLogit) {
  Tensors actual = answer();
  actual["logits"].values[2] += 2e-5;
  EXPECT_NONFATAL_FAILURE(expect_equal(actual, answer(), kBounds), "logits[0,1,0]");
}

TEST(Comparison, NamesTheGradient) {
  Tensors actual = answer();
  actual["grad.a"].values[1] += 1e-4;
  EXPECT_NONFATAL_FAILURE(expect_equal(actual, answer(), kBounds), "grad.a: |difference|");
}

TEST(Comparison, RefusesAnythingWhereThereIsNoGradient) {
  Tensors actual = answer();
  actual["grad.unused"].values[0] = 1e-6;
  EXPECT_NONFATAL_FAILURE(expect_equal(actual, answer(), kBounds), "grad.unused");
}

TEST(Comparison, RefusesNaN) {
  Tensors actual = answer();
  actual["logits"].values[0] = std::nan("");
  EXPECT_NONFATAL_FAILURE(expect_equal(actual, answer(), kBounds), "logits[0,0,0]");
}

TEST(Comparison, RefusesAnExtraGradient) {
  Tensors actual = answer();
  actual["grad.b"] = {{1}, {0}};
  EXPECT_NONFATAL_FAILURE(expect_equal(actual, answer(), kBounds), "no parameter of the model");
}

}  // namespace
}  // namespace pleat::parity
