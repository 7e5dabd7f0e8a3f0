// SPDX-License-Identifier: Apache-2.0
// Reverse-mode differentiation of a forward graph: a pass from graph to graph.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace pleat::graph {

/// Where the derivative starts: the output `name` gets the cotangent input `cotangent_name` (same type,
/// cotangent placements) times `factor`.
struct Seed {
  std::string output;
  std::string cotangent;
  double factor = 1;
};

/// Adds the backward operations (phase backward), the gradients of all parameters, and the cotangents of the
/// inputs named in `wanted_inputs`. Outputs without a seed carry no cotangent.
Graph differentiate(Graph forward, const std::vector<Seed>& seeds,
                    const std::vector<std::string>& wanted_inputs);

/// The split into B and W: operations of phase backward whose results reach only gradient accumulations and
/// that are worth deferring (matmul and grouped_outer) become phase weight. The products of the parameters
/// named in `keep` (the head by default) stay in B.
Graph split_weight_gradients(Graph graph, const std::vector<std::string>& keep);

}  // namespace pleat::graph
