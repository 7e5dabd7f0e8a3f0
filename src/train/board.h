// SPDX-License-Identifier: Apache-2.0
// Where the stages put what a step sent out; when a step is complete its metrics go to the caller, in order
// of steps.
#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/job.h"
#include "program/program.h"
#include "train/metrics.h"

namespace pleat::train {

/// A complete step.
struct StepOutcome {
  StepMetrics metrics;   // without the times
  bool applied = true;   // the guard let the update happen
  std::string offender;  // otherwise: what was not finite
};

class Board {
 public:
  using Done = std::function<void(StepOutcome)>;
  /// `done` is called on a rank's thread, one step at a time.
  Board(const config::Job& job, const program::Program& program, Done done);

  /// Safe from several threads. `step` is 1-based.
  void add(int64_t step, int stage, std::string_view port, std::span<const std::byte> bytes);

 private:
  using Values = std::map<std::string, std::vector<double>, std::less<>>;
  struct Open {
    size_t ports = 0;
    Values values;
  };
  StepOutcome outcome(int64_t step, const Values& values) const;

  const config::Job& job_;
  const program::Program& program_;
  Done done_;
  std::mutex mutex_;
  std::map<int64_t, Open> open_;  // by step
};

}  // namespace pleat::train
