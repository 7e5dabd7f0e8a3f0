// SPDX-License-Identifier: Apache-2.0
// guard: every instruction that updates state does so only under the step's flag.
#include <algorithm>

#include "base/errors.h"
#include "compile/draft.h"

namespace pleat::compile {
namespace {

int flag_of(const Piece& update) {
  for (const Step& step : update.steps)
    if (step.op == graph::Op::clip) return step.results[2].first;
  base::fail<base::CheckError>("'{}' updates state but computes no guard", update.name);
}

void put_under(Step& step, int flag) {
  const auto place = std::find(step.reads.begin(), step.reads.end(), flag);
  if (place == step.reads.end())
    base::fail<base::CheckError>("{} of {} updates state without reading the guard", graph::name_of(step.op),
                                 step.label);
  step.guard = static_cast<int>(place - step.reads.begin());
}

}  // namespace

Draft guard(Draft draft) {
  for (StageDraft& stage : draft.stages) {
    const int index = stage.piece_index(Phase::update);
    if (index < 0) continue;
    Piece& update = stage.pieces[index];
    const int flag = flag_of(update);
    for (Step& step : update.steps)
      for (const auto& [result, mode] : step.results)
        if (mode == Mode::update && stage.buffers[result].area == Area::state) put_under(step, flag);
  }
  return draft;
}

}  // namespace pleat::compile
