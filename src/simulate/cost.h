// SPDX-License-Identifier: Apache-2.0
// How long an instruction takes alone on a machine: a roofline of the operation's cost (graph facts; here for
// the operations that have none) over the Target's rates, times a factor per operation that measurements may
// set.
#pragma once
#include <array>
#include <cstdint>

#include "graph/facts.h"
#include "program/program.h"
#include "target/catalogue.h"

namespace pleat::simulate {

inline constexpr int kOps = static_cast<int>(graph::Op::count_);

/// By operation, how much longer it takes than the roofline says. 1 until measured.
struct Calibration {
  Calibration() { factor.fill(1.0); }
  double operator[](graph::Op op) const { return factor[static_cast<size_t>(op)]; }
  std::array<double, kOps> factor;
};

/// What the rank's threads do for it.
struct Work {
  int64_t ns = 0;           // alone on the machine
  int threads = 1;          // that are busy with it
  double bytes_per_ns = 0;  // memory traffic meanwhile
};

/// A communication, seen by one member. Transports between threads copy on the members' own threads: every
/// phase begins when all members have done the one before.
struct Transfer {
  int64_t delay_ns = 0;  // from the last post until it is seen
  int phases = 0;
  std::array<Work, 2> work;  // of this member, by phase
  int64_t bytes = 0;         // that both sides must agree on
};

/// Arithmetic and memory traffic of one instruction on one rank. A communication's is in transfer_of.
graph::Cost cost_of(const program::Instruction& instruction);

/// Of a computing or host instruction.
Work work_of(const program::Instruction& instruction, const target::Target& target, int threads,
             const Calibration& calibration);
/// Of a communication in a group of `members` ranks.
Transfer transfer_of(const program::Instruction& instruction, int64_t members, const target::Target& target,
                     const Calibration& calibration);

}  // namespace pleat::simulate
