// SPDX-License-Identifier: Apache-2.0
// Builds a Graph operation by operation: infers types and placements, refuses what is illegal. Blocks of the
// model and vector-Jacobian products are written with it; neither ever picks a group or a collective (place
// does).
#pragma once
#include <string>
#include <vector>

#include "graph/graph.h"

namespace pleat::graph {

class Builder {
 public:
  Builder(const layout::Layout& layout, base::DType activation, base::DType exact);
  /// Goes on with a finished graph (differentiate does).
  explicit Builder(Graph graph);

  ValueId input(std::string name, ValueType type);
  /// A use of a parameter: shared over the axes of its mesh over which it is replicated, cast to `dtype` once
  /// a step.
  ValueId parameter(const std::string& name, const base::Shape& shape, const layout::Placements& placements,
                    base::DType dtype);

  /// Applies an operation; JobError where it is illegal for these operands and placements.
  std::vector<ValueId> apply(Op op, Attributes attributes, std::vector<ValueId> operands);
  /// The same for operations with one result.
  ValueId apply_one(Op op, Attributes attributes, std::vector<ValueId> operands);

  void output(std::string name, ValueId value);
  void set_phase(Phase phase) { phase_ = phase; }

  base::DType activation() const { return activation_; }
  base::DType exact() const { return graph_.exact; }
  const layout::Layout& layout() const { return graph_.layout; }
  const Value& operator[](ValueId id) const { return graph_[id]; }
  const Graph& graph() const { return graph_; }
  Graph take() { return std::move(graph_); }

  /// For place and dispatch, whose result placements are their purpose: no inference.
  std::vector<ValueId> apply_placed(Op op, Attributes attributes, std::vector<ValueId> operands,
                                    std::vector<ValueType> results, layout::AxisSet axes);

 private:
  ValueId add_value(Value value);
  ValueId cast_once(ValueId stored, base::DType dtype);
  Graph graph_;
  base::DType activation_;
  Phase phase_ = Phase::forward;
};

// The operations as blocks write them. Shapes in docs/operations.md.
ValueId cast(Builder& b, ValueId x, base::DType dtype);
ValueId add(Builder& b, ValueId x, ValueId y);
ValueId reshape(Builder& b, ValueId x, const base::Shape& shape);
std::vector<ValueId> split(Builder& b, ValueId x, const std::vector<int64_t>& columns);
ValueId concat(Builder& b, std::vector<ValueId> parts);
ValueId matmul(Builder& b, ValueId x, ValueId w, bool transpose_x, bool transpose_w, base::DType dtype);

/// y = x w^T, the linear layer of weight [N,K].
inline ValueId linear(Builder& b, ValueId x, ValueId w, base::DType dtype) {
  return matmul(b, x, w, false, true, dtype);
}

}  // namespace pleat::graph
