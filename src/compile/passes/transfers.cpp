// SPDX-License-Identifier: Apache-2.0
// transfers: what crosses between stages, as pieces of their own. Their place in the list is such that it can
// also be walked one at a time with rendezvous on both sides (inline, one stream per rank): two neighbours
// have their common transfers in the same order.
#include <algorithm>
#include <array>

#include "base/errors.h"
#include "compile/draft.h"
#include "compile/schedule/schedule.h"

namespace pleat::compile {
namespace {

constexpr std::array<std::string_view, 4> kBoundary{"hidden", "counts", "sums", "squares"};

struct Pieces {
  int receive_forward = -1, send_forward = -1, receive_backward = -1, send_backward = -1;
};

Step transfer(graph::Op op, int buffer, Queue queue, int stage_offset, std::string purpose) {
  Step step{op, {}, {}, {}, queue, {}, {}, purpose, -1, {}};
  if (op == graph::Op::send) step.reads = {buffer};
  if (op == graph::Op::receive) step.results = {{buffer, Mode::write}};
  step.party = program::Party{{layout::Axis::pp}, {}, stage_offset, std::move(purpose)};
  return step;
}

int add(StageDraft& stage, const std::string& name, std::vector<Step> steps) {
  if (steps.empty()) return -1;
  stage.pieces.push_back(
      {fmt::format("{} {}", name, stage.stage.value), Phase::transfer, stage.stage.value, std::move(steps)});
  return static_cast<int>(stage.pieces.size()) - 1;
}

int buffer_of_input(const StageDraft& stage, const std::string& name) {
  for (size_t i = 0; i < stage.graph.values.size(); ++i)
    if (stage.graph.values[i].source == graph::Source::input && stage.graph.values[i].name == name)
      return stage.buffer_of_value[i];
  return -1;
}

Pieces add_pieces(StageDraft& stage) {
  std::vector<Step> forward_in, forward_out, backward_in, backward_out;
  for (std::string_view name : kBoundary) {
    const std::string text(name);
    if (const int b = buffer_of_input(stage, "in." + text); b >= 0)
      forward_in.push_back(transfer(graph::Op::receive, b, Queue::forward_in, -1, "forward"));
    const bool between = stage.stage.value + 1 < stage.graph.layout.stages();
    if (const auto output = stage.graph.output(name); output && between)
      forward_out.push_back(
          transfer(graph::Op::send, stage.buffer_of_value[output->value], Queue::forward_out, 1, "forward"));
    if (const int b = buffer_of_input(stage, "cotangent." + text); b >= 0)
      backward_in.push_back(transfer(graph::Op::receive, b, Queue::backward_in, 1, "backward"));
    for (const graph::Named& cotangent : stage.graph.cotangents)
      if (cotangent.name == "in." + text)
        backward_out.push_back(transfer(graph::Op::send, stage.buffer_of_value[cotangent.value.value],
                                        Queue::backward_out, -1, "backward"));
  }
  return {add(stage, "receive forward", forward_in), add(stage, "send forward", forward_out),
          add(stage, "receive backward", backward_in), add(stage, "send backward", backward_out)};
}

/// Backwards that stand before the forward of `micro_batch` in a stage's order.
int backwards_before(const std::vector<Work>& order, int micro_batch) {
  int count = 0;
  for (const Work& work : order) {
    if (work.phase == Phase::forward && work.micro_batch == micro_batch) return count;
    if (work.phase == Phase::backward) ++count;
  }
  return 0;
}

/// The list with transfers. Before a forward is sent, every cotangent is received that the next stage sends
/// before it receives that forward: then both walk their common transfers in the same order.
std::vector<Turn> with_transfers(const StageDraft& stage, const Pieces& p, const std::vector<Work>& next) {
  std::vector<Turn> order;
  int received = 0;  // cotangents, in order of micro-batches
  const auto put = [&](int piece, int micro_batch) {
    if (piece >= 0) order.push_back({piece, micro_batch});
  };
  const auto receive_until = [&](int micro_batches) {
    for (; received < micro_batches; ++received) put(p.receive_backward, received);
  };
  for (const Turn& turn : stage.order) {
    const Phase phase = stage.pieces[turn.piece].phase;
    if (phase == Phase::forward) {
      put(p.receive_forward, turn.micro_batch);
      order.push_back(turn);
      receive_until(backwards_before(next, turn.micro_batch));
      put(p.send_forward, turn.micro_batch);
    } else if (phase == Phase::backward) {
      receive_until(turn.micro_batch + 1);
      order.push_back(turn);
      put(p.send_backward, turn.micro_batch);
    } else {
      order.push_back(turn);
    }
  }
  return order;
}

}  // namespace

Draft transfers(Draft draft) {
  const Request& r = draft.request;
  const int stages = static_cast<int>(r.layout.stages());
  for (StageDraft& stage : draft.stages) {
    const bool last = stage.stage.value + 1 == stages;
    const std::vector<Work> next =
        last ? std::vector<Work>{}
             : schedule_of(r.schedule, stage.stage.value + 1, stages, static_cast<int>(r.micro_batches));
    const Pieces pieces = add_pieces(stage);
    stage.order = with_transfers(stage, pieces, pieces.receive_backward < 0 ? std::vector<Work>{} : next);
  }
  return draft;
}

}  // namespace pleat::compile
