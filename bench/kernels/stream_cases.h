// SPDX-License-Identifier: Apache-2.0
// The row kernels at sizes that no cache holds, with the share of a copy's speed that they should reach.
#pragma once
#include <vector>

#include "bound_kernel.h"

namespace pleat::bench {

struct StreamCase {
  graph::Signature signature;
  double target = 0.6;  // of a copy of as many bytes; 0 is none
  int route = -1;       // the operand that holds a route
  double flops = 0;     // of products, where these are the measure
};

std::vector<StreamCase> stream_cases(base::DType activations);
/// fp32 only: the update of the weights and the choice of experts.
std::vector<StreamCase> stream_cases_of_numbers();

/// Puts into operands what random numbers would not do for.
void prepare(const StreamCase& test_case, const BoundKernel& kernel);
/// Bytes that must move: routes touch only the rows they name, an update reads what it writes.
int64_t moved_bytes(const StreamCase& test_case, const BoundKernel& kernel);

}  // namespace pleat::bench
