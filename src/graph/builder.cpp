// SPDX-License-Identifier: Apache-2.0
#include "graph/builder.h"

#include <algorithm>

#include "base/errors.h"
#include "graph/facts.h"

namespace pleat::graph {

using base::DType;
using base::fail;
using layout::Placement;

Builder::Builder(const layout::Layout& layout, DType activation, DType exact) : activation_(activation) {
  graph_.layout = layout;
  graph_.exact = exact;
}

Builder::Builder(Graph graph) : graph_(std::move(graph)), activation_(graph_.exact) {}

ValueId Builder::add_value(Value value) {
  graph_.values.push_back(std::move(value));
  return ValueId(static_cast<int64_t>(graph_.values.size()) - 1);
}

ValueId Builder::input(std::string name, ValueType type) {
  return add_value({type, Source::input, std::move(name), {}, 0, false});
}

ValueId Builder::parameter(const std::string& name, const base::Shape& shape,
                           const layout::Placements& placements, DType dtype) {
  ValueId stored;
  for (size_t i = 0; i < graph_.values.size(); ++i)
    if (graph_.values[i].source == Source::parameter && graph_.values[i].name == name)
      stored = ValueId(static_cast<int64_t>(i));
  if (!stored.valid())
    stored = add_value({{exact(), shape, placements}, Source::parameter, name, {}, 0, true});
  const ValueId used = cast_once(stored, dtype);
  layout::Placements shared = placements;
  for (layout::Axis axis : layout::axes_of(placements.mesh()))
    if (placements[axis] == Placement::replicated()) shared = shared.with(axis, Placement::shared());
  return apply_placed(Op::share, {}, {used}, {{dtype, shape, shared}}, {})[0];
}

ValueId Builder::cast_once(ValueId stored, DType dtype) {
  for (const Operation& operation : graph_.operations)
    if (operation.op == Op::cast && operation.operands[0] == stored &&
        graph_[operation.results[0]].type.dtype == dtype)
      return operation.results[0];
  return cast(*this, stored, dtype);
}

std::vector<ValueId> Builder::apply(Op op, Attributes attributes, std::vector<ValueId> operands) {
  std::vector<Plain> plain;
  for (ValueId id : operands) plain.push_back({graph_[id].type.dtype, graph_[id].type.shape});
  const std::vector<Plain> results = facts_of(op).results({attributes, plain, exact()});
  const std::vector<layout::Placements> placements =
      infer_placements(graph_, op, attributes, operands, results);
  std::vector<ValueType> types;
  for (size_t i = 0; i < results.size(); ++i)
    types.push_back({results[i].dtype, results[i].shape, placements[i]});
  return apply_placed(op, std::move(attributes), std::move(operands), std::move(types), {});
}

std::vector<ValueId> Builder::apply_placed(Op op, Attributes attributes, std::vector<ValueId> operands,
                                           std::vector<ValueType> results, layout::AxisSet axes) {
  const bool once =
      std::all_of(operands.begin(), operands.end(), [&](ValueId id) { return graph_[id].once; });
  const OperationId id(static_cast<int64_t>(graph_.operations.size()));
  Operation operation{op, std::move(attributes), std::move(operands), {}, once ? Phase::once : phase_, axes};
  for (size_t i = 0; i < results.size(); ++i) {
    Value value{results[i], Source::computed,    operation.operands.empty() ? "constant" : "",
                id,         static_cast<int>(i), once};
    operation.results.push_back(add_value(std::move(value)));
  }
  graph_.operations.push_back(operation);
  return operation.results;
}

ValueId Builder::apply_one(Op op, Attributes attributes, std::vector<ValueId> operands) {
  const std::vector<ValueId> results = apply(op, std::move(attributes), std::move(operands));
  if (results.size() != 1)
    fail<base::CheckError>("operation {} has {} results, one was expected", name_of(op), results.size());
  return results[0];
}

void Builder::output(std::string name, ValueId value) {
  graph_.outputs.push_back({std::move(name), value});
}

ValueId cast(Builder& b, ValueId x, DType dtype) {
  if (b[x].type.dtype == dtype) return x;
  return b.apply_one(Op::cast, {{"to", std::string(base::name_of(dtype))}}, {x});
}

ValueId add(Builder& b, ValueId x, ValueId y) {
  return b.apply_one(Op::add, {}, {x, y});
}

ValueId reshape(Builder& b, ValueId x, const base::Shape& shape) {
  if (b[x].type.shape == shape) return x;
  Attributes attributes;
  for (int dim = 0; dim < shape.dims(); ++dim) attributes.set(fmt::format("dim{}", dim), shape[dim]);
  return b.apply_one(Op::reshape, std::move(attributes), {x});
}

std::vector<ValueId> split(Builder& b, ValueId x, const std::vector<int64_t>& columns) {
  Attributes attributes;
  for (size_t i = 0; i < columns.size(); ++i) attributes.set(fmt::format("columns{}", i), columns[i]);
  return b.apply(Op::split, std::move(attributes), {x});
}

ValueId concat(Builder& b, std::vector<ValueId> parts) {
  return b.apply_one(Op::concat, {}, std::move(parts));
}

ValueId matmul(Builder& b, ValueId x, ValueId w, bool transpose_x, bool transpose_w, DType dtype) {
  return b.apply_one(Op::matmul,
                     {{"transpose_a", int64_t{transpose_x}},
                      {"transpose_b", int64_t{transpose_w}},
                      {"to", std::string(base::name_of(dtype))}},
                     {x, w});
}

}  // namespace pleat::graph
