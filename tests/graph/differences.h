// SPDX-License-Identifier: Apache-2.0
// A differentiated graph against central differences of the graph itself, on one rank in f64.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "graph/differentiate.h"
#include "ranks.h"

namespace pleat::graph::testing {

/// By name: inputs and parameters of a graph on one rank.
using Inputs = std::map<std::string, std::vector<Tensor>>;

/// The objective is the sum of the seeded outputs, each times a random cotangent. Every parameter of the
/// graph and every input in `wanted` must have a gradient that is not zero and within 1e-6 of the
/// differences, relative to the tensor's largest element.
void expect_central_differences(const Graph& forward, const std::vector<Seed>& seeds,
                                const std::vector<std::string>& wanted, Inputs inputs);

}  // namespace pleat::graph::testing
