// SPDX-License-Identifier: Apache-2.0
// kernels: the catalogue's choice for every computing step, and room for its workspace.
#include "compile/draft.h"

namespace pleat::compile {
namespace {

graph::Signature signature_of(const StageDraft& stage, const Step& step) {
  graph::Signature signature{step.op, step.attributes, {}, {}, 0};
  for (int read : step.reads) signature.reads.push_back(stage.buffers[read].type);
  for (size_t i = 0; i < step.results.size(); ++i) {
    signature.writes.push_back(stage.buffers[step.results[i].first].type);
    if (step.results[i].second == Mode::accumulate) signature.accumulates |= 1u << i;
  }
  return signature;
}

}  // namespace

Draft kernels(Draft draft) {
  for (StageDraft& stage : draft.stages) {
    for (Piece& piece : stage.pieces) {
      for (Step& step : piece.steps) {
        if (step.queue != Queue::compute) continue;
        const target::Choice choice =
            target::choose(draft.request.catalogue, signature_of(stage, step), draft.request.threads);
        step.kernel = choice.kernel;
        if (choice.workspace > 0)
          step.workspace = stage.add_buffer(
              "workspace", graph::OperandType::dense(base::DType::i32, {(choice.workspace + 3) / 4}),
              Area::scratch);
      }
    }
  }
  return draft;
}

}  // namespace pleat::compile
