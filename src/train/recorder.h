// SPDX-License-Identifier: Apache-2.0
// When every instruction of a few steps began and ended, on every rank. All memory is there before the first
// of them, so that recording allocates nothing in a step and does not count as the run's own growth.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "program/program.h"
#include "run/run.h"
#include "simulate/simulate.h"
#include "train/report.h"

namespace pleat::train {

class Recorder {
 public:
  /// For ranks that run `turns` turns of the Program, which outlives the recorder.
  Recorder(const program::Program& program, int turns);

  /// What the ranks are given; safe to call on all of their threads at once. The recorder outlives its use.
  run::Times times();

  /// Turns that are recorded on every rank.
  int turns() const;
  /// One of them as `simulate` shows a turn: from its first computing or host instruction on any rank.
  std::vector<TimelineSpan> timeline(int turn) const;
  /// The turn that `simulate` would show: one with neighbours on both sides, where there is one.
  int typical_turn() const { return turns() >= 3 ? turns() - 2 : turns() - 1; }
  /// Nanoseconds of a turn by operation, over all ranks: means over the turns without the fastest and the
  /// slowest. No medians by operation: where ranks share cores, an operation is now and then kept from its
  /// core for long, and medians would leave that out of all of them.
  std::array<int64_t, simulate::kOps> by_operation() const;

 private:
  struct Ran {
    double begin = 0, end = 0;
  };
  struct RankTimes {
    std::vector<size_t> first;  // by instance, the number of its first instruction; then their count
    std::vector<int32_t> seen;  // by instruction
    std::vector<Ran> ran;       // by turn and instruction
  };
  void add(base::Rank rank, int instance, int instruction, double begin, double end);
  /// Calls visit(instance, instruction, ran) for a turn of a rank.
  template <class Visit>
  void for_each(base::Rank rank, int turn, const Visit& visit) const;
  double start_of(int turn) const;

  const program::Program& program_;
  int turns_;
  std::vector<RankTimes> ranks_;
};

/// A simulated turn, in the words of the measured one.
std::vector<TimelineSpan> timeline_of(const simulate::Result& result);

}  // namespace pleat::train
