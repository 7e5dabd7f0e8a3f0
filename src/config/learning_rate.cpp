// SPDX-License-Identifier: Apache-2.0
// The learning rate of a step: a pure function of the job, so a resumed run continues the same curve.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "config/job.h"

namespace pleat::config {

double learning_rate(const OptimizerSettings& optimizer, int64_t steps, int64_t step) {
  if (step <= optimizer.warmup_steps)
    return optimizer.learning_rate * static_cast<double>(step) / static_cast<double>(optimizer.warmup_steps);
  if (optimizer.decay == Decay::constant) return optimizer.learning_rate;
  const int64_t start =
      optimizer.decay == Decay::cosine ? optimizer.warmup_steps : steps - optimizer.decay_steps;
  const double length = static_cast<double>(std::max<int64_t>(1, optimizer.decay_steps));
  const double progress = std::clamp(static_cast<double>(step - start) / length, 0.0, 1.0);
  const double kept =
      optimizer.decay == Decay::cosine ? 0.5 * (1.0 + std::cos(std::numbers::pi * progress)) : 1.0 - progress;
  return optimizer.learning_rate * (optimizer.min_ratio + (1.0 - optimizer.min_ratio) * kept);
}

}  // namespace pleat::config
