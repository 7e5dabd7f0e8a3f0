// SPDX-License-Identifier: Apache-2.0
// reductions: the shares of the parameters are discharged. Every gradient is partial over the axes over which
// its parameter is shared; gradients of one group stand side by side in buckets, each reduced by one
// instruction. Then the uses of a tied parameter are added, in order of use, over its holders.
#include <algorithm>
#include <map>

#include "base/errors.h"
#include "compile/draft.h"

namespace pleat::compile {
namespace {

constexpr int64_t kBucketBytes = int64_t{16} << 20;

/// Axes over which the cotangent of a parameter's use is partial.
layout::AxisSet partial_axes(const StageDraft& stage, const std::string& parameter) {
  for (const graph::Value& value : stage.graph.values) {
    if (value.source != graph::Source::parameter || value.name != parameter) continue;
    layout::AxisSet axes;
    for (layout::Axis axis : layout::axes_of(value.type.placements.mesh()))
      if (value.type.placements[axis] == layout::Placement::replicated() && stage.graph.layout.size(axis) > 1)
        axes.add(axis);
    return axes;
  }
  base::fail<base::CheckError>("no parameter '{}' in stage {}", parameter, stage.stage.value);
}

/// Moves the gradients into a bucket: one root buffer, they become views of it.
int make_bucket(StageDraft& stage, const std::vector<const GradientBuffer*>& members, int number) {
  int64_t elements = 0;
  for (const GradientBuffer* g : members) elements += stage.buffers[g->buffer].type.shape.elements();
  const base::DType dtype = stage.graph.exact;
  const int bucket = stage.add_buffer(fmt::format("bucket {}", number),
                                      graph::OperandType::dense(dtype, {elements}), Area::gradient);
  int64_t offset = 0;
  for (const GradientBuffer* g : members) {
    Buffer& view = stage.buffers[g->buffer];
    view.root = bucket;
    view.offset = offset;
    offset += view.type.bytes();
  }
  return bucket;
}

Step all_reduce(int buffer, program::Party party) {
  Step step{graph::Op::all_reduce, {}, {buffer}, {{buffer, Mode::update}}, Queue::group, {}, {},
            party.purpose,         -1, {}};
  step.party = std::move(party);
  return step;
}

void add_buckets(StageDraft& stage, Piece& reduce) {
  std::map<layout::AxisSet, std::vector<const GradientBuffer*>> by_group;
  for (const GradientBuffer& g : stage.gradients) by_group[partial_axes(stage, g.parameter)].push_back(&g);
  int number = 0;
  for (const auto& [axes, gradients] : by_group) {
    std::vector<const GradientBuffer*> members;
    int64_t bytes = 0;
    const auto flush = [&] {
      if (members.empty()) return;
      const int bucket = make_bucket(stage, members, number++);
      if (!axes.empty()) reduce.steps.push_back(all_reduce(bucket, {axes, {}, 0, "gradients"}));
      members.clear();
      bytes = 0;
    };
    for (const GradientBuffer* g : gradients) {
      const int64_t mine = stage.buffers[g->buffer].type.bytes();
      if (bytes + mine > kBucketBytes) flush();
      members.push_back(g);
      bytes += mine;
    }
    flush();
  }
}

/// A tied parameter: its first use and its last have gradients of their own.
void join_uses(StageDraft& stage, Piece& reduce) {
  std::map<std::string, std::vector<int>> uses;
  for (const GradientBuffer& g : stage.gradients) uses[g.parameter].push_back(g.buffer);
  for (const auto& [parameter, buffers] : uses)
    for (size_t i = 1; i < buffers.size(); ++i)
      reduce.steps.push_back({graph::Op::add,
                              {},
                              {buffers[0], buffers[i]},
                              {{buffers[0], Mode::update}},
                              Queue::compute,
                              {},
                              {},
                              parameter,
                              -1,
                              {}});
  for (const program::StateSlot& slot : stage.state)
    if (slot.holders.size() > 1 && slot.role == program::Role::master && uses.contains(slot.name))
      reduce.steps.push_back(
          all_reduce(uses[slot.name][0], {{layout::Axis::pp}, slot.holders, 0, "tied " + slot.name}));
}

}  // namespace

Draft reductions(Draft draft) {
  for (StageDraft& stage : draft.stages) {
    if (stage.gradients.empty()) continue;
    // By name, then by use in the forward: the same order on one rank and over stages.
    std::sort(stage.gradients.begin(), stage.gradients.end(),
              [](const GradientBuffer& a, const GradientBuffer& b) {
                return std::tie(a.parameter, a.use) < std::tie(b.parameter, b.use);
              });
    Piece reduce{"reduce", Phase::reduce, -1, {}};
    add_buckets(stage, reduce);
    join_uses(stage, reduce);
    stage.pieces.push_back(std::move(reduce));
    stage.order.push_back({static_cast<int>(stage.pieces.size()) - 1, -1});
  }
  return draft;
}

}  // namespace pleat::compile
