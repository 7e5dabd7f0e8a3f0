// SPDX-License-Identifier: Apache-2.0
// A tiny training run whose every number is kept: what each step lost, the gradients it made before the
// optimizer, and the state it started from; under any layout, schedule and executor.
#pragma once
#include <array>
#include <map>
#include <string>
#include <vector>

#include "config/job.h"
#include "run/run.h"

namespace pleat::equivalence {

/// Whole tensors by name, as doubles: fp32 and fp64 fit exactly.
using Tensors = std::map<std::string, std::vector<double>>;
/// By role: weights, first and second moments.
using State = std::array<Tensors, 3>;

struct StepRecord {
  State before;
  double loss = 0;  // cross entropy, nats per token
  double grad_norm = 0;
  std::vector<double> token_losses;  // of the global batch, by sample and position
  Tensors gradients;                 // reduced, before the optimizer
};

struct Recording {
  std::vector<StepRecord> steps;
  State after;
};

struct TrialOptions {
  program::Order order = program::Order::queues;
  uint64_t shuffle_seed = 0;
  /// Every step starts from the state that this one's step started from, not from its own last one.
  const Recording* from = nullptr;
};

/// All steps of the job.
Recording record(const config::Job& job, const TrialOptions& options = {});

/// For each step of a recording, element by element, the sum over the tokens of the step of |gradient of that
/// token's loss|: the magnitudes of the terms that make up the gradient, whatever the order of their sum.
std::vector<Tensors> magnitudes(const config::Job& job, const Recording& of);

}  // namespace pleat::equivalence
