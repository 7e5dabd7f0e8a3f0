// SPDX-License-Identifier: Apache-2.0
// What a Program will do, before it runs: how long a step takes, where ranks are idle, how much memory they
// need. Every rank walks its queues as run does, in integer nanoseconds, over the cores and the memory of one
// Target. Ranks of one stage have equal lists, equal costs and groups that mirror each other, so they do the
// same at the same time: one of them is simulated for all, and its use of cores and memory counted for each.
// Not here: proofs (verify) and measured times (run).
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "program/program.h"
#include "simulate/cost.h"
#include "target/catalogue.h"

namespace pleat::simulate {

struct Options {
  int turns = 4;  // of the loop; of three or more the one before the last is reported, which has neighbours
  program::Order order = program::Order::queues;
  Calibration calibration;
  /// Instead of the cost model: nanoseconds of the rank's thread for a computing or host instruction, for a
  /// communication the time from the last post to completion (then it costs no thread anything).
  std::function<int64_t(const program::Instruction&)> duration;
  /// Ranks of stages that are not in the Program have always posted already; without it a communication with
  /// one is a CheckError.
  bool absent_ranks_are_ready = false;
  bool spans = true;
  bool spans_of_all_ranks = false;  // else of the first rank of every stage
};

/// How an instruction is called on a timeline; the same words for predicted and measured ones.
struct Label {
  std::string name;  // "matmul layers.3.q_proj"
  std::string kind;  // "forward", "backward", "weight", "transfer", "collective", "host", ...
};
Label label_of(const program::Segment& segment, const program::Instruction& instruction);

/// One instruction of the reported turn: from its start, or from the post of a communication, to its end.
struct Span {
  int32_t rank = 0;
  program::Queue queue = program::Queue::compute;
  int32_t label = 0;  // in Result::labels
  int32_t micro_batch = -1;
  int64_t start_ns = 0;  // from the turn's first computing or host instruction on any rank; not before it
  int64_t duration_ns = 0;
  bool operator==(const Span&) const = default;
};

/// A stage, which is each of its ranks.
struct StageResult {
  int32_t stage = 0;
  base::Rank rank;  // its first
  int64_t ranks = 1;
  double bubble = 0;       // 1 - busy_ns / Result::pipeline_ns
  int64_t busy_ns = 0;     // of forward, backward and weight instructions on the compute queue
  int64_t peak_bytes = 0;  // arena and allowance
};

/// Work of one turn by operation, over all ranks.
struct OpTime {
  graph::Op op = graph::Op::add;
  int64_t calls = 0;
  int64_t ns = 0;  // as it would take alone on the machine
};

struct Result {
  int64_t step_ns = 0;      // from the end of the turn before to the end of the reported one
  int64_t pipeline_ns = 0;  // from the first to the last forward, backward or weight instruction of any stage
  double core_use = 0;      // share of the cores' time that instructions use, in a step
  std::vector<int64_t> turn_ends_ns;
  std::vector<StageResult> stages;
  std::vector<OpTime> by_operation;  // the longest first
  std::vector<Label> labels;
  std::vector<Span> spans;  // by rank, then by start
};

/// CheckError when ranks wait for each other for ever (naming them and where they stand), when the two sides
/// of a communication disagree, or when a list is missing that another one talks to.
Result simulate(const program::Program& program, const target::Target& target, const Options& options = {});

/// The factors with which the cost model gives the measured nanoseconds, by operation, over all ranks of one
/// turn: as a rank's thread spends them, not waiting for others nor for a core. What was not measured (0)
/// keeps its factor in `options`.
Calibration calibrate(const program::Program& program, const target::Target& target, const Options& options,
                      const std::array<int64_t, kOps>& measured_ns);

/// The spans in the trace format of Perfetto and chrome://tracing: a process per rank, a thread per queue.
std::string trace_json(const Result& result);

}  // namespace pleat::simulate
