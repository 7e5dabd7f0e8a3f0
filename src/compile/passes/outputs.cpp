// SPDX-License-Identifier: Apache-2.0
// outputs: what goes out to the caller, as host instructions that read it: metrics once a step, after they
// were summed over the ranks of the stage; asked-for values of every micro-batch; gradients where the Program
// is about them.
#include <algorithm>

#include "base/errors.h"
#include "compile/draft.h"

namespace pleat::compile {
namespace {

Step emit(const std::string& port, int buffer) {
  return {graph::Op::emit, {{"port", port}}, {buffer}, {}, Queue::host, {}, {}, port, -1, {}};
}

int buffer_named(const StageDraft& stage, std::string_view name) {
  for (size_t i = 0; i < stage.buffers.size(); ++i)
    if (stage.buffers[i].name == name) return static_cast<int>(i);
  return -1;
}

void emit_metrics(StageDraft& stage, Piece& piece) {
  for (const graph::Named& output : stage.graph.outputs) {
    if (!output.name.starts_with("metric.")) continue;
    const int buffer = stage.buffer_of_value[output.value.value];
    layout::AxisSet axes;
    for (layout::Axis axis : layout::axes_of(layout::MeshKind::dense))
      if (stage.graph[output.value].type.placements[axis] == layout::Placement::partial() &&
          stage.graph.layout.size(axis) > 1)
        axes.add(axis);
    if (!axes.empty()) {
      Step reduce{graph::Op::all_reduce, {}, {buffer}, {{buffer, Mode::update}}, Queue::group, {}, {},
                  output.name,           -1, {}};
      reduce.party = program::Party{axes, {}, 0, "metrics"};
      piece.steps.push_back(std::move(reduce));
    }
    piece.steps.push_back(emit(output.name, buffer));
  }
}

void emit_gradients(StageDraft& stage, Piece& piece) {
  std::string last;
  for (const GradientBuffer& g : stage.gradients) {  // sorted: the first use holds the joined gradient
    if (g.parameter != last) piece.steps.push_back(emit("gradient." + g.parameter, g.buffer));
    last = g.parameter;
  }
}

}  // namespace

Draft outputs(Draft draft) {
  for (StageDraft& stage : draft.stages) {
    Piece& forward = stage.piece(Phase::forward);
    for (const std::string& name : draft.request.emit)
      if (const auto output = stage.graph.output(name))
        forward.steps.push_back(emit(name, stage.buffer_of_value[output->value]));
    if (draft.request.purpose == Purpose::generate) continue;
    Piece out{"outputs", Phase::reduce, -1, {}};
    emit_metrics(stage, out);
    if (draft.request.purpose == Purpose::gradients || draft.request.emit_gradients)
      emit_gradients(stage, out);
    if (draft.request.purpose == Purpose::train)
      for (std::string_view name : {"grad_norm", "guard", "squares"})
        out.steps.push_back(emit(std::string(name), buffer_named(stage, name)));
    if (out.steps.empty()) continue;
    stage.pieces.push_back(std::move(out));
    stage.order.push_back({static_cast<int>(stage.pieces.size()) - 1, -1});
  }
  return draft;
}

}  // namespace pleat::compile
