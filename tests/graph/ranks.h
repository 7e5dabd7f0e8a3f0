// SPDX-License-Identifier: Apache-2.0
// A graph computed on several ranks at once, operation by operation, in double with the reference kernels:
// what the placements promise is then compared with what one rank computes.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace pleat::graph::testing {

struct Tensor {
  base::DType dtype = base::DType::f64;
  base::Shape shape;
  std::vector<double> values;
};

/// Rows of a buffer of expert rows, per rank, where they are no contiguous part of one rank's buffer: rank ->
/// rows.
using RowMap = std::vector<std::vector<int64_t>>;

/// The parts that the ranks hold: slices, equal copies, or random summands.
std::vector<Tensor> distribute(const Tensor& whole, layout::Placement placement, int64_t ranks,
                               const RowMap* rows, uint32_t seed);
/// The whole again. Fails the test when copies differ.
Tensor collect(const std::vector<Tensor>& parts, layout::Placement placement, const RowMap* rows);

/// All values of the graph on all ranks of its axis dp: [value][rank]. `inputs` by name.
std::vector<std::vector<Tensor>> compute(const Graph& graph,
                                         const std::map<std::string, std::vector<Tensor>>& inputs);

}  // namespace pleat::graph::testing
