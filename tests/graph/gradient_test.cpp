// SPDX-License-Identifier: Apache-2.0
// What differentiate builds from the vector-Jacobian products of src/graph/ops, against central differences
// in f64: random cotangents of all differentiable results at once, odd sizes. So a wrong operand, a missing
// cotangent or a wrong attribute in a vjp shows here, at its operation.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "cases.h"
#include "differences.h"
#include "graph/differentiate.h"
#include "graph/facts.h"

namespace pleat::graph::testing {
namespace {

std::vector<Case> differentiable_cases() {
  std::vector<Case> all = cases(kOdd);
  std::erase_if(all, [](const Case& c) { return c.differentiable.empty(); });
  return all;
}

class Gradient : public ::testing::TestWithParam<Case> {};

TEST_P(Gradient, EqualsCentralDifferences) {
  const Case& c = GetParam();
  const std::vector<layout::Placement> whole(c.operands.size(), layout::Placement::replicated());
  const Graph forward = forward_graph(c, whole, 1);
  Inputs inputs;
  for (size_t i = 0; i < c.operands.size(); ++i)
    inputs[fmt::format("x{}", i)] = {make(c.operands[i], kOdd, static_cast<uint32_t>(i + 1))};
  expect_central_differences(forward, seeds(c), wanted(c), inputs);
}

INSTANTIATE_TEST_SUITE_P(Operations, Gradient, ::testing::ValuesIn(differentiable_cases()),
                         [](const auto& which) { return which.param.name; });

TEST(Gradient, OfEveryOperationWithAVectorJacobianProductIsTried) {
  std::set<Op> tried;
  for (const Case& c : differentiable_cases()) tried.insert(c.op);
  for (const Facts* facts : all_facts())
    EXPECT_EQ(tried.contains(facts->op), facts->vjp != nullptr) << name_of(facts->op);
}

}  // namespace
}  // namespace pleat::graph::testing
