// SPDX-License-Identifier: Apache-2.0
// Programs written by hand, of instructions whose durations are said by their labels: what the event engine
// does can then be worked out on paper.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "compile/schedule/schedule.h"
#include "simulate/simulate.h"

namespace pleat::simulate {

using program::Instance;
using program::Instruction;
using program::Order;
using program::Phase;
using program::Program;
using program::Queue;

inline layout::Degrees stages_of(int64_t count) {
  layout::Degrees degrees;
  degrees.pp = count;
  return degrees;
}

inline layout::Degrees replicas(int64_t count) {
  layout::Degrees degrees;
  degrees.dp = count;
  return degrees;
}

inline program::Region floats(int64_t elements, int64_t offset = 0) {
  return {program::Area::scratch, offset, graph::OperandType::dense(base::DType::f32, {elements}), -1};
}

inline Instruction compute(const std::string& label, Queue queue = Queue::compute) {
  Instruction instruction;
  instruction.op = queue == Queue::host ? graph::Op::emit : graph::Op::scale;
  instruction.queue = queue;
  instruction.reads = {floats(1)};
  if (queue != Queue::host) instruction.results = {{floats(1, 4), program::Mode::write}};
  instruction.label = label;
  return instruction;
}

inline Instruction send(int to_stage_offset, Queue queue, const std::string& label = "send",
                        int64_t elements = 1) {
  Instruction instruction;
  instruction.op = graph::Op::send;
  instruction.queue = queue;
  instruction.reads = {floats(elements)};
  instruction.party =
      program::Party{{layout::Axis::pp}, {}, to_stage_offset, to_stage_offset > 0 ? "forward" : "backward"};
  instruction.label = label;
  return instruction;
}

inline Instruction receive(int from_stage_offset, Queue queue, const std::string& label = "receive",
                           int64_t elements = 1) {
  Instruction instruction;
  instruction.op = graph::Op::receive;
  instruction.queue = queue;
  instruction.results = {{floats(elements), program::Mode::write}};
  instruction.party = program::Party{
      {layout::Axis::pp}, {}, from_stage_offset, from_stage_offset < 0 ? "forward" : "backward"};
  instruction.label = label;
  return instruction;
}

inline Instruction all_reduce(layout::AxisSet axes, const std::string& label = "all_reduce",
                              int64_t elements = 1) {
  Instruction instruction;
  instruction.op = graph::Op::all_reduce;
  instruction.queue = Queue::group;
  instruction.reads = {floats(elements)};
  instruction.results = {{floats(elements), program::Mode::update}};
  instruction.party = program::Party{axes, {}, 0, "sums"};
  instruction.label = label;
  return instruction;
}

/// One instance per segment of one instruction; each fires an event of its own.
class HandMade {
 public:
  explicit HandMade(layout::Degrees degrees = {}) { program_.layout = layout::Layout(degrees); }

  /// Appends an instruction to the list of a stage and returns its event. `after`: events of that list that
  /// it waits for.
  int32_t add(int32_t stage, Instruction instruction, std::vector<program::Wait> after = {},
              Phase phase = Phase::forward, int32_t micro_batch = -1) {
    program::RankList& list = list_of(stage);
    instruction.fires = 0;
    for (program::Wait& wait : after) wait.queue = instruction.queue;
    Instance instance;
    instance.segment = static_cast<int32_t>(program_.segments.size());
    instance.micro_batch = micro_batch;
    instance.first_event = list.events++;
    instance.waits = std::move(after);
    program_.segments.push_back({instruction.label, phase, stage, 1, {std::move(instruction)}});
    list.instances.push_back(std::move(instance));
    return list.instances.back().first_event;
  }

  Program& program() { return program_; }

 private:
  program::RankList& list_of(int32_t stage) {
    for (program::RankList& list : program_.lists)
      if (list.stage == stage) return list;
    program_.lists.push_back({stage, {}, {}, 0});
    return program_.lists.back();
  }
  Program program_;
};

inline program::Wait on(int32_t event, int32_t lag = 0) {
  return {Queue::compute, event, lag};
}

/// Durations by label; what is not named takes no time.
inline Options with_durations(std::map<std::string, int64_t> ns, int turns = 3) {
  Options options;
  options.turns = turns;
  options.duration = [ns = std::move(ns)](const Instruction& instruction) {
    const auto found = ns.find(instruction.label);
    return found == ns.end() ? int64_t{0} : found->second;
  };
  return options;
}

inline target::Target machine_of(int cores) {
  target::Target target;
  target.cores = cores;
  return target;
}

/// A pipeline of F and B alone, in the order of a schedule.
inline Program pipeline(config::Schedule schedule, int stages, int micro_batches) {
  HandMade made(stages_of(stages));
  for (int s = 0; s < stages; ++s) {
    for (const compile::Work& work : compile::schedule_of(schedule, s, stages, micro_batches)) {
      const bool forward = work.phase == Phase::forward;
      const int from = forward ? -1 : 1;
      std::vector<program::Wait> after;
      if (s + from >= 0 && s + from < stages)
        after = {on(made.add(s, receive(from, forward ? Queue::forward_in : Queue::backward_in), {},
                             Phase::transfer))};
      const int32_t done = made.add(s, compute(forward ? "F" : "B"), after, work.phase, work.micro_batch);
      if (s - from >= 0 && s - from < stages)
        made.add(s, send(-from, forward ? Queue::forward_out : Queue::backward_out), {on(done)},
                 Phase::transfer);
    }
  }
  return made.program();
}

}  // namespace pleat::simulate
