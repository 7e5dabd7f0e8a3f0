// SPDX-License-Identifier: Apache-2.0
// When every instruction of a few steps began and ended, on every rank. All memory is there before the first
// of them, so that recording allocates nothing in a step and does not count as the run's own growth.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "program/program.h"
#include "run/run.h"
#include "simulate/simulate.h"
#include "train/report.h"

namespace pleat::train {

class Recorder {
 public:
  using Clock = std::function<double()>;
  using Nanoseconds = std::array<int64_t, simulate::kOps>;  // by operation
  /// For ranks that run `turns` turns of the Program, which outlives the recorder. `thread_clock`: seconds
  /// that a core worked for the calling thread; may be empty.
  Recorder(const program::Program& program, int turns, Clock thread_clock);

  /// On the rank's thread, before the first turn: what it is to tell its times to. Each rank has its own
  /// lines. The recorder outlives their use.
  run::Times start(base::Rank rank);

  /// Turns that are recorded on every rank.
  int turns() const;
  /// One of them as `simulate` shows a turn: from its first computing or host instruction on any rank.
  std::vector<TimelineSpan> timeline(int turn) const;
  /// The turn that `simulate` would show: one with neighbours on both sides, where there is one.
  int typical_turn() const { return turns() >= 3 ? turns() - 2 : turns() - 1; }
  /// Of one turn, over all ranks, from begin to end: the time alone on the machine where every thread has a
  /// core. Communications are left out (0): they wait.
  Nanoseconds ran() const;
  /// What cores worked, also where ranks share them: of the ranks' own threads, so of all threads only where
  /// a rank has one. What a rank does between two instructions counts for the one that ends next.
  Nanoseconds worked() const;

 private:
  struct Ran {
    double begin = 0, end = 0, worked = 0;
  };
  struct RankTimes {
    std::vector<size_t> first;  // by instance, the number of its first instruction; then their count
    std::vector<int32_t> seen;  // by instruction
    std::vector<Ran> ran;       // by turn and instruction
    double told = 0;            // by the thread's clock, when the last instruction was told
  };
  void add(base::Rank rank, int instance, int instruction, double begin, double end);
  /// Calls visit(instance, instruction, ran) for a turn of a rank.
  template <class Visit>
  void for_each(base::Rank rank, int turn, const Visit& visit) const;
  double start_of(int turn) const;
  /// Means over the turns without the fastest and the slowest; no medians, because where something keeps an
  /// operation from its core now and then, the median of each leaves that out of all.
  template <class Value>
  Nanoseconds by_operation(const Value& value) const;

  const program::Program& program_;
  int turns_;
  Clock thread_clock_;
  std::vector<RankTimes> ranks_;
};

/// A simulated turn, in the words of the measured one.
std::vector<TimelineSpan> timeline_of(const simulate::Result& result);

}  // namespace pleat::train
