// SPDX-License-Identifier: Apache-2.0
// segments: each stage's graph becomes pieces (begin, forward, backward) of steps over buffers. Views become
// buffers inside buffers, a communication in a group of one becomes a view, and every value gets the area its
// life asks for.
#include <algorithm>
#include <map>

#include "base/errors.h"
#include "compile/draft.h"
#include "model/families/parameters.h"

namespace pleat::compile {
namespace {

using graph::Op;
using graph::OperandType;
using graph::Operation;
using graph::Source;
using graph::Value;
using graph::ValueId;

/// Results that a kernel can add to what is there.
bool accumulable(Op op, int result) {
  switch (op) {
    case Op::matmul:
    case Op::grouped_outer:
    case Op::embedding_grad:
    case Op::column_sum:
    case Op::token_sum:
      return result == 0;
    case Op::rms_norm_grad:
      return result == 1;
    default:
      return false;
  }
}

class Lowering {
 public:
  Lowering(const Request& request, StageDraft& stage)
      : request_(request), stage_(stage), graph_(stage.graph) {}

  void run() {
    stage_.buffer_of_value.assign(graph_.values.size(), -1);
    stage_.pieces = {{"begin", Phase::begin, -1, {}}, {named("forward"), Phase::forward, chunk(), {}}};
    if (differentiated()) stage_.pieces.push_back({named("backward"), Phase::backward, chunk(), {}});
    mark_concats();
    mark_accumulations();
    for (size_t i = 0; i < graph_.values.size(); ++i) add_source(ValueId(static_cast<int64_t>(i)));
    for (const Operation& operation : graph_.operations) lower(operation);
    remaining_gradients();
    settle_areas();
  }

 private:
  bool differentiated() const { return !graph_.gradients.empty(); }
  int chunk() const { return stage_.stage.value; }
  std::string named(std::string_view phase) const { return fmt::format("{} {}", phase, chunk()); }
  int& buffer(ValueId id) { return stage_.buffer_of_value[id.value]; }

  OperandType local(ValueId id) const {
    const graph::ValueType& type = graph_[id].type;
    return OperandType::dense(type.dtype, graph_.layout.local_shape(type.shape, type.placements));
  }

  /// A concat's operands are written straight into their columns: remember where.
  void mark_concats() {
    for (const Operation& operation : graph_.operations) {
      if (operation.op != Op::concat) continue;
      int64_t column = 0;
      for (ValueId part : operation.operands) {
        columns_of_[base_of(part).value] = {operation.results[0], column};
        column += local(part).shape[1];
      }
    }
  }
  ValueId base_of(ValueId id) const {
    const Value& value = graph_[id];
    if (value.source != Source::computed) base::fail<base::CheckError>("a concat of an input needs a copy");
    const Operation& producer = graph_[value.producer];
    return producer.op == Op::reshape ? base_of(producer.operands[0]) : id;
  }

  void mark_accumulations() {
    std::vector<int> readers(graph_.values.size(), 0);
    for (const Operation& operation : graph_.operations)
      for (ValueId operand : operation.operands) ++readers[operand.value];
    for (const graph::Gradient& gradient : graph_.gradients)
      mark_accumulation(gradient.cotangent, readers, gradient.parameter, gradient.use);
    for (const graph::Named& output : graph_.outputs)
      if (output.name.starts_with("metric.")) mark_accumulation(output.value, readers, output.name, -1);
  }
  void mark_accumulation(ValueId id, const std::vector<int>& readers, const std::string& name, int use) {
    const Operation& producer = graph_[graph_[id].producer];
    const bool direct =
        accumulable(producer.op, graph_[id].result) && readers[id.value] == 0 && !sums_.contains(id.value);
    if (direct) {
      sums_[id.value] = {name, use};
    } else if (use < 0) {
      base::fail<base::CheckError>("{} is not a sum that can accumulate", name);
    } else {
      later_.push_back({id, {name, use}});
    }
  }

  void add_source(ValueId id) {
    const Value& value = graph_[id];
    if (value.source == Source::parameter) buffer(id) = add_state(value, local(id));
    if (value.source != Source::input) return;
    Area area = Area::input;
    if (value.name.starts_with("in.")) area = Area::frame;
    if (value.name.starts_with("cotangent.")) area = Area::arrival;
    if (value.name.starts_with("seed.")) area = Area::step;
    buffer(id) = stage_.add_buffer(value.name, local(id), area);
    if (area == Area::input || area == Area::step) stage_.input_buffers.emplace_back(value.name, buffer(id));
  }

  int add_state(const Value& value, const OperandType& type) {
    std::vector<int32_t> holders{stage_.stage.value};
    const int last = static_cast<int>(graph_.layout.stages()) - 1;
    if (request_.model.tie_word_embeddings && value.name == "model.embed_tokens.weight" && last > 0)
      holders = {0, last};
    const bool train = request_.purpose == Purpose::train;
    int master = -1;
    for (program::Role role : {program::Role::master, program::Role::moment1, program::Role::moment2}) {
      if (role != program::Role::master && !train) break;
      const std::string suffix =
          role == program::Role::master ? "" : "." + std::string(program::kRoleNames[static_cast<int>(role)]);
      const int slot = stage_.add_buffer(value.name + suffix, type, Area::state);
      if (role == program::Role::master) master = slot;
      stage_.state.push_back(
          {value.name, role, value.type.shape, value.type.placements, stage_.stage.value, holders, {}});
      stage_.state_buffers.push_back(slot);
    }
    return master;
  }

  bool group_of_one(const Operation& operation) const {
    return !operation.axes.empty() && graph_.layout.size(operation.axes) == 1;
  }

  void lower(const Operation& operation) {
    if (operation.op == Op::split) return lower_split(operation);
    if (operation.op == Op::concat) return lower_concat(operation);
    if (graph::is_view(operation.op) || group_of_one(operation)) return lower_view(operation);
    Step step{operation.op, operation.attributes, {}, {}, Queue::compute, {}, {}, label(operation), -1, {}};
    for (ValueId operand : operation.operands) step.reads.push_back(use(operand, operation.phase));
    for (ValueId result : operation.results) step.results.push_back(place_result(result));
    if (!operation.axes.empty()) {
      step.party =
          program::Party{operation.axes, {}, 0, graph::is_communication(operation.op) ? "experts" : ""};
      if (graph::is_communication(operation.op)) step.queue = Queue::group;
    }
    piece_of(operation.phase).steps.push_back(std::move(step));
  }

  Piece& piece_of(graph::Phase phase) {
    switch (phase) {
      case graph::Phase::once:
        return stage_.piece(Phase::begin);
      case graph::Phase::forward:
        return stage_.piece(Phase::forward);
      case graph::Phase::backward:
      case graph::Phase::weight:
        break;  // no schedule here defers W: it is part of B
    }
    return stage_.piece(Phase::backward);
  }

  std::string label(const Operation& operation) const {
    for (ValueId operand : operation.operands) {
      ValueId id = operand;
      while (graph_[id].source == Source::computed && graph_[id].once &&
             !graph_[graph_[id].producer].operands.empty())
        id = graph_[graph_[id].producer].operands[0];
      if (graph_[id].source == Source::parameter) return graph_[id].name;
    }
    return {};
  }

  /// Reading in another phase than the one that wrote makes a value part of the frame.
  int use(ValueId id, graph::Phase phase) {
    const int b = buffer(id);
    const int root = stage_.buffers[b].root;
    const bool backward = phase == graph::Phase::backward || phase == graph::Phase::weight;
    if (backward && stage_.buffers[root].area == Area::scratch && forward_roots_[root])
      stage_.buffers[root].area = Area::frame;
    return b;
  }

  std::pair<int, Mode> place_result(ValueId id) {
    const Value& value = graph_[id];
    const std::string name = fmt::format("%{}", id.value);
    if (const auto sum = sums_.find(id.value); sum != sums_.end()) {
      const auto& [what, index] = sum->second;
      buffer(id) = stage_.add_buffer(index < 0 ? what : fmt::format("gradient {}/{}", what, index), local(id),
                                     index < 0 ? Area::step : Area::gradient);
      if (index >= 0) stage_.gradients.push_back({what, index, buffer(id)});
      return {buffer(id), Mode::accumulate};
    }
    if (const auto columns = columns_of_.find(id.value); columns != columns_of_.end()) {
      buffer(id) = into_columns(id, columns->second.first, columns->second.second);
    } else {
      buffer(id) = stage_.add_buffer(name, local(id), value.once ? Area::step : Area::scratch);
    }
    const graph::Phase phase = graph_[value.producer].phase;
    forward_roots_[stage_.buffers[buffer(id)].root] = phase == graph::Phase::forward;
    return {buffer(id), Mode::write};
  }

  /// The columns of `whole` from `column` on, seen with the shape of `part`.
  int into_columns(ValueId part, ValueId whole, int64_t column) {
    if (buffer(whole) < 0)
      buffer(whole) = stage_.add_buffer(fmt::format("%{}", whole.value), local(whole), Area::scratch);
    OperandType type = local(part);
    type.row_stride = local(whole).shape[1];
    return stage_.add_view(buffer(whole), fmt::format("%{}", part.value), type,
                           column * base::size_of(type.dtype));
  }

  void lower_view(const Operation& operation) {
    const int from = buffer(operation.operands[0]);
    const ValueId result = operation.results[0];
    OperandType type = local(result);
    const OperandType& source = stage_.buffers[from].type;
    if (!source.is_dense()) {
      if (source.shape[0] != type.shape[0])
        base::fail<base::CheckError>("a reshape of columns must keep its rows");
      type.row_stride = source.row_stride;
    }
    buffer(result) = stage_.add_view(from, fmt::format("%{}", result.value), type, 0);
  }

  void lower_split(const Operation& operation) {
    const int from = buffer(operation.operands[0]);
    int64_t column = 0;
    for (ValueId part : operation.results) {
      OperandType type = local(part);
      type.row_stride = stage_.buffers[from].type.row_stride;
      buffer(part) =
          stage_.add_view(from, fmt::format("%{}", part.value), type, column * base::size_of(type.dtype));
      column += type.shape[1];
    }
  }

  /// Its operands were written in place.
  void lower_concat(const Operation& operation) {
    if (buffer(operation.results[0]) < 0) base::fail<base::CheckError>("a concat of nothing");
  }

  /// Gradients whose producer cannot add: copied into their accumulator at the end of B.
  void remaining_gradients() {
    for (const auto& [id, what] : later_) {
      const OperandType type = OperandType::dense(graph_.exact, local(id).shape);
      const int sum =
          stage_.add_buffer(fmt::format("gradient {}/{}", what.first, what.second), type, Area::gradient);
      stage_.gradients.push_back({what.first, what.second, sum});
      stage_.piece(Phase::backward)
          .steps.push_back({Op::cast,
                            {{"to", std::string(base::name_of(graph_.exact))}},
                            {buffer(id)},
                            {{sum, Mode::accumulate}},
                            Queue::compute,
                            {},
                            {},
                            what.first,
                            -1,
                            {}});
    }
  }

  /// What is sent or received outlives its segment: frames hold it. Views lie where their roots lie.
  void settle_areas() {
    for (const graph::Named& output : graph_.outputs)
      if (output.name == "hidden" || output.name == "counts" || output.name == "sums" ||
          output.name == "squares")
        stage_.buffers[stage_.buffers[buffer(output.value)].root].area = Area::frame;
    for (const graph::Named& cotangent : graph_.cotangents)
      stage_.buffers[stage_.buffers[buffer(cotangent.value)].root].area = Area::arrival;
    for (Buffer& b : stage_.buffers) b.area = stage_.buffers[b.root].area;
  }

  const Request& request_;
  StageDraft& stage_;
  const graph::Graph& graph_;
  std::map<int32_t, std::pair<ValueId, int64_t>> columns_of_;  // value -> concat and first column
  std::map<int32_t, std::pair<std::string, int>> sums_;        // value -> parameter and use, or metric and -1
  std::vector<std::pair<ValueId, std::pair<std::string, int>>> later_;
  std::map<int, bool> forward_roots_;  // written by the forward
};

}  // namespace

Draft segments(Draft draft) {
  for (StageDraft& stage : draft.stages) Lowering(draft.request, stage).run();
  return draft;
}

}  // namespace pleat::compile
