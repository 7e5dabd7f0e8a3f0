// SPDX-License-Identifier: Apache-2.0
// optimizer: the second, undifferentiated part of the step. Per-tensor sums of squares in double, every
// tensor counted once and added in one order whatever the layout; clipping by their norm; AdamW on the fp32
// masters.
#include <algorithm>
#include <map>

#include "base/errors.h"
#include "compile/draft.h"
#include "compile/squares.h"
#include "model/families/parameters.h"

namespace pleat::compile {
namespace {

using graph::Op;
using graph::OperandType;

OperandType f64_vector(int64_t n) {
  return OperandType::dense(base::DType::f64, {n});
}

class Optimizer {
 public:
  Optimizer(const Request& request, StageDraft& stage) : request_(request), stage_(stage) {
    for (SquaresRange& range : squares_ranges(request.model)) ranges_[range.parameter] = range;
    for (const GradientBuffer& g : stage.gradients)
      if (!gradient_.contains(g.parameter)) gradient_[g.parameter] = g.buffer;  // joined into the first use
  }

  void run() {
    int64_t sums = 0;
    for (const auto& [name, range] : ranges_) sums += range.count;
    squares_ = stage_.add_buffer("squares", f64_vector(sums), Area::step);
    if (by_stages()) add(Op::zero, {}, {}, {{squares_, Mode::write}}, "squares");
    for (const auto& [name, buffer] : gradient_)
      if (counted_here(name)) sum_squares(name, buffer);
    gather_squares();
    clip();
    for (const auto& [name, buffer] : gradient_) adamw(name, buffer);
    stage_.pieces.push_back(std::move(update_));
    stage_.order.push_back({static_cast<int>(stage_.pieces.size()) - 1, -1});
  }

 private:
  Step& add(Op op, graph::Attributes attributes, std::vector<int> reads,
            std::vector<std::pair<int, Mode>> results, std::string label) {
    update_.steps.push_back({op,
                             std::move(attributes),
                             std::move(reads),
                             std::move(results),
                             Queue::compute,
                             {},
                             {},
                             std::move(label),
                             -1,
                             {}});
    return update_.steps.back();
  }

  /// The lowest holder counts a tied parameter.
  bool counted_here(const std::string& name) const {
    for (const program::StateSlot& slot : stage_.state)
      if (slot.name == name) return slot.holders.front() == stage_.stage.value;
    return false;
  }

  void sum_squares(const std::string& name, int buffer) {
    const bool experts = ranges_.at(name).experts;
    const int64_t tensors = experts ? stage_.buffers[buffer].type.shape[0] : 1;
    const OperandType flat =
        OperandType::dense(stage_.graph.exact, {stage_.buffers[buffer].type.shape.elements()});
    const int gradient = stage_.add_view(buffer, name + " flat", flat, 0);
    int result;
    Mode mode = Mode::write;
    if (experts && request_.layout.size(layout::Axis::ep) > 1) {
      result = stage_.add_buffer("squares " + name, f64_vector(tensors), Area::step);
      expert_sums_.push_back({name, result});
    } else {
      result = slot_view(name, tensors);
      mode = slot_mode();
    }
    add(Op::sum_squares, {{"tensors", tensors}}, {gradient}, {{result, mode}}, name);
  }

  /// Every stage fills its own slots of a vector of zeros; else the slots are all there is.
  bool by_stages() const { return request_.layout.stages() > 1; }
  Mode slot_mode() const { return by_stages() ? Mode::update : Mode::write; }

  int slot_view(const std::string& name, int64_t tensors) {
    const int64_t offset = ranges_.at(name).first * base::size_of(base::DType::f64);
    return stage_.add_view(squares_, "squares " + name, f64_vector(tensors), offset);
  }

  /// Over ep the experts' sums are joined in order of experts, over pp every stage adds its own to zeros.
  void gather_squares() {
    for (const auto& [name, buffer] : expert_sums_) {
      const int64_t all = ranges_.at(name).count;
      Step& gather = add(Op::all_gather, {}, {buffer}, {{slot_view(name, all), slot_mode()}}, name);
      gather.queue = Queue::group;
      gather.party = program::Party{{layout::Axis::ep}, {}, 0, "squares"};
    }
    if (!by_stages()) return;
    Step& reduce = add(Op::all_reduce, {}, {squares_}, {{squares_, Mode::update}}, "squares");
    reduce.queue = Queue::group;
    reduce.party = program::Party{{layout::Axis::pp}, {}, 0, "squares"};
  }

  void clip() {
    const OperandType flag = OperandType::dense(base::DType::i32, {1});
    norm_ = stage_.add_buffer("grad_norm", f64_vector(1), Area::step);
    factor_ = stage_.add_buffer("clip_factor", f64_vector(1), Area::step);
    guard_ = stage_.add_buffer("guard", flag, Area::step);
    add(Op::clip, {{"max_norm", request_.optimizer.clip}}, {squares_, scalars()},
        {{norm_, Mode::write}, {factor_, Mode::write}, {guard_, Mode::write}}, "clip");
  }

  void adamw(const std::string& name, int buffer) {
    const config::OptimizerSettings& o = request_.optimizer;
    const bool decays = model::parameter_named(request_.model, name).weight_decay;
    const OperandType flat =
        OperandType::dense(stage_.graph.exact, {stage_.buffers[buffer].type.shape.elements()});
    std::vector<std::pair<int, Mode>> slots;
    for (program::Role role : {program::Role::master, program::Role::moment1, program::Role::moment2})
      slots.emplace_back(stage_.add_view(stage_.state_buffer(name, role), name + " flat", flat, 0),
                         Mode::update);
    add(Op::adamw,
        {{"beta1", o.beta1},
         {"beta2", o.beta2},
         {"eps", o.eps},
         {"weight_decay", decays ? o.weight_decay : 0.0}},
        {stage_.add_view(buffer, name + " flat", flat, 0), factor_, guard_, scalars()}, slots, name);
  }

  int scalars() const { return stage_.input_buffer("scalars"); }

  const Request& request_;
  StageDraft& stage_;
  std::map<std::string, SquaresRange> ranges_;
  std::map<std::string, int> gradient_;
  Piece update_{"update", Phase::update, -1, {}};
  std::vector<std::pair<std::string, int>> expert_sums_;
  int squares_ = -1, norm_ = -1, factor_ = -1, guard_ = -1;
};

}  // namespace

Draft optimizer(Draft draft) {
  if (draft.request.purpose == Purpose::train)
    for (StageDraft& stage : draft.stages) Optimizer(draft.request, stage).run();
  return draft;
}

}  // namespace pleat::compile
