// SPDX-License-Identifier: Apache-2.0
// Runs steps of a Program on random tokens and says where the time went.
#pragma once
#include <array>
#include <functional>
#include <vector>

#include "config/job.h"
#include "program/program.h"

namespace pleat::cli {

struct OperationTime {
  graph::Op op = graph::Op::add;
  int64_t calls = 0;   // in a step
  double seconds = 0;  // in a step
  double flops = 0, bytes = 0;
};

struct Measured {
  double bind_seconds = 0;     // arenas, kernels, channels of all ranks
  double weights_seconds = 0;  // initial values
  std::vector<double> steps;   // seconds of each, after one that warms up
};

/// As the job says: queues or inline. After each step, `between(its seconds)`.
Measured measure_steps(const config::Job& job, const program::Program& program, int64_t steps,
                       const std::function<void(double)>& between);

struct View {
  double step_seconds = 0;  // mean, as the rank sees it; the operations' seconds and `between` add up to it
  double between_seconds = 0;
  std::vector<OperationTime> operations;  // the longest first
};
/// In list order, so that instructions of one rank follow each other; a communication's time includes its
/// waiting.
View measure_operations(const config::Job& job, const program::Program& program, base::Rank rank,
                        int64_t steps);

/// Arithmetic of the products of one step, all ranks together.
double product_flops(const program::Program& program);

}  // namespace pleat::cli
