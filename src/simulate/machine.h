// SPDX-License-Identifier: Apache-2.0
// The shared resources: cores and memory. At most one job per walker runs at a time; all of them share the
// cores evenly, and memory so that nobody has more than it asks for and none that asks for more gets less
// than another.
#pragma once
#include <cstdint>
#include <limits>
#include <vector>

#include "simulate/cost.h"
#include "target/catalogue.h"

namespace pleat::simulate {

class Machine {
 public:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  /// `ranks`: how many ranks each walker stands for.
  Machine(const target::Target& target, std::vector<int64_t> ranks);
  /// The walker has no job. `work.ns` is at least 1.
  void start(int walker, const Work& work, int64_t now);
  /// When the first job ends if nobody starts another before; kNever without jobs.
  int64_t next_end(int64_t now);
  /// Removes the jobs that end at `now`; their walkers, in order.
  std::vector<int> take_ended(int64_t now);

 private:
  struct Job {
    int walker = 0;
    Work work;
    double remaining_ns = 0;  // of work, at `since`
    int64_t since = 0;
    double rate = 0;
    int64_t end = 0;
  };
  void share(int64_t now);
  void set_rate(Job& job, double rate, int64_t now) const;
  double memory_level(double core_share) const;

  double cores_, bytes_per_ns_;
  std::vector<int64_t> ranks_;
  std::vector<Job> jobs_;  // by walker
  bool stale_ = false;     // jobs came or went since the rates were set
};

}  // namespace pleat::simulate
