// SPDX-License-Identifier: Apache-2.0
// schedule: begin, the loads of all micro-batches, then the order that the job's schedule gives.
#include "compile/schedule/schedule.h"

#include "compile/draft.h"

namespace pleat::compile {
namespace {

/// One host instruction per input port; those of a micro-batch apart from those of the step.
void add_loads(StageDraft& stage) {
  Piece per_micro_batch{"load", Phase::load, -1, {}};
  std::vector<Step> per_step;
  for (const auto& [port, buffer] : stage.input_buffers) {
    Step load{
        graph::Op::load, {{"port", port}}, {}, {{buffer, Mode::write}}, Queue::host, {}, {}, port, -1, {}};
    const bool framed = program::is_framed(stage.buffers[buffer].area);
    (framed ? per_micro_batch.steps : per_step).push_back(std::move(load));
  }
  Piece& begin = stage.piece(Phase::begin);
  begin.steps.insert(begin.steps.begin(), per_step.begin(), per_step.end());
  stage.pieces.push_back(std::move(per_micro_batch));
}

}  // namespace

Draft schedule(Draft draft) {
  const Request& r = draft.request;
  const int stages = static_cast<int>(r.layout.stages()), micro_batches = static_cast<int>(r.micro_batches);
  for (StageDraft& stage : draft.stages) {
    if (r.purpose == Purpose::train) {
      const int scalars =
          stage.add_buffer("scalars", graph::OperandType::dense(base::DType::f64, {8}), Area::step);
      stage.input_buffers.emplace_back("scalars", scalars);
    }
    add_loads(stage);
    stage.order.push_back({stage.piece_index(Phase::begin), -1});
    for (int m = 0; m < micro_batches; ++m) stage.order.push_back({stage.piece_index(Phase::load), m});
    const bool backward = stage.piece_index(Phase::backward) >= 0;
    for (const Work& work : schedule_of(r.schedule, stage.stage.value, stages, micro_batches))
      if (backward || work.phase == Phase::forward)
        stage.order.push_back({stage.piece_index(work.phase), work.micro_batch});
  }
  return draft;
}

}  // namespace pleat::compile
