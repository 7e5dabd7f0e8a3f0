// SPDX-License-Identifier: Apache-2.0
#include "differences.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace pleat::graph::testing {
namespace {

constexpr double kRelativeError = 1e-6;
/// Truncation is about kStep^2 = 1e-10 of the third derivative, rounding about epsilon / kStep = 2e-11 of the
/// summed results.
constexpr double kStep = 1e-5;

Tensor random_like(const ValueType& type, uint32_t seed) {
  Tensor t{type.dtype, type.shape, std::vector<double>(static_cast<size_t>(type.shape.elements()))};
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  for (double& value : t.values) value = normal(random);
  return t;
}

using Values = std::vector<std::vector<Tensor>>;

const std::vector<double>& numbers(const Values& values, ValueId id) {
  return values[static_cast<size_t>(id.value)][0].values;
}

/// Gradients by name: a parameter's uses added, cotangents of inputs.
std::map<std::string, std::vector<double>> gradients(const Graph& graph, const Inputs& inputs) {
  const Values values = compute(graph, inputs);
  std::map<std::string, std::vector<double>> all;
  for (const Named& cotangent : graph.cotangents) all[cotangent.name] = numbers(values, cotangent.value);
  for (const Gradient& gradient : graph.gradients) {
    const std::vector<double>& use = numbers(values, gradient.cotangent);
    std::vector<double>& sum = all.try_emplace(gradient.parameter, use.size(), 0.0).first->second;
    for (size_t i = 0; i < use.size(); ++i) sum[i] += use[i];
  }
  return all;
}

class Differences {
 public:
  Differences(const Graph& forward, const std::vector<Seed>& seeds, Inputs& inputs)
      : forward_(forward), seeds_(seeds), inputs_(inputs) {}

  double at(double& element) {
    const double here = element;
    element = here + kStep;
    const Values above = compute(forward_, inputs_);
    element = here - kStep;
    const Values below = compute(forward_, inputs_);
    element = here;
    // Element by element, so that what the element does not reach cancels exactly.
    double sum = 0;
    for (const Seed& seed : seeds_) {
      const ValueId output = *forward_.output(seed.output);
      const std::vector<double>&up = numbers(above, output), &down = numbers(below, output);
      const std::vector<double>& cotangent = inputs_.at(seed.cotangent)[0].values;
      for (size_t i = 0; i < up.size(); ++i) sum += (up[i] - down[i]) * cotangent[i] * seed.factor;
    }
    return sum / (2 * kStep);
  }

 private:
  const Graph& forward_;
  const std::vector<Seed>& seeds_;
  Inputs& inputs_;
};

}  // namespace

void expect_central_differences(const Graph& forward, const std::vector<Seed>& seeds,
                                const std::vector<std::string>& wanted, Inputs inputs) {
  uint32_t number = 100;
  for (const Seed& seed : seeds)
    inputs[seed.cotangent] = {random_like(forward[*forward.output(seed.output)].type, number++)};
  const Graph backward = differentiate(forward, seeds, wanted);
  const auto have = gradients(backward, inputs);

  std::vector<std::string> names = wanted;
  for (const Value& value : forward.values)
    if (value.source == Source::parameter) names.push_back(value.name);
  Differences differences(forward, seeds, inputs);
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(have.contains(name)) << "no gradient";
    const std::vector<double>& gradient = have.at(name);
    std::vector<double>& x = inputs.at(name)[0].values;
    ASSERT_EQ(gradient.size(), x.size());
    double largest = 0;
    for (double g : gradient) largest = std::max(largest, std::fabs(g));
    EXPECT_GT(largest, 0);
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_NEAR(gradient[i], differences.at(x[i]), kRelativeError * largest) << "[" << i << "]";
  }
}

}  // namespace pleat::graph::testing
