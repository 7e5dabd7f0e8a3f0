// SPDX-License-Identifier: Apache-2.0
// The five facts of an operation: result types, placement rule, vector-Jacobian product, cost, legality.
// graph/ops/<operation>.cpp states them; this table of tables is the only list.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "graph/builder.h"
#include "graph/graph.h"
#include "graph/signature.h"

namespace pleat::graph {

/// Shape and dtype of an operand or result, before placements.
struct Plain {
  base::DType dtype = base::DType::f32;
  base::Shape shape;
};

/// What an operation costs one rank: arithmetic, memory traffic, and bytes that leave the rank.
struct Cost {
  double flops = 0;
  double bytes = 0;
  double sent = 0;
};

/// One legal combination over one mesh axis.
struct Pattern {
  std::vector<layout::Placement> operands, results;
};
/// pattern("s0 h > s0"): r replicated, h shared, p partial, s<dim> sharded. Operands left, results right of
/// '>'.
Pattern pattern(std::string_view text);

struct Context {
  const Attributes& attributes;
  std::span<const Plain> operands;
  base::DType exact;
};

class Vjp;

struct Facts {
  Op op;
  /// Result types. Throws JobError when the operands or attributes are illegal, saying why.
  std::vector<Plain> (*results)(const Context&);
  /// Legal combinations besides 'all replicated', 'all shared' and those that `linear` implies.
  std::vector<Pattern> (*patterns)(const Context&);
  /// Sets of operands (bit i: operand i) in which the operation is jointly linear: these partial and the
  /// others shared give partial results.
  std::vector<uint32_t> linear;
  /// Gives the wanted operands their cotangents; null where there is none.
  void (*vjp)(Vjp&);
  /// Of the local instruction.
  Cost (*cost)(const Signature&);
};

/// Throws CheckError for an operation without facts (those of the optimizer and of the transports have costs
/// only).
const Facts& facts_of(Op op);
/// All of them, for tests that walk the table.
std::span<const Facts* const> all_facts();

/// All combinations that are legal over one axis, for this many results.
std::vector<Pattern> legal_patterns(const Facts& facts, const Context& context, size_t results);

/// Placements of the results, or JobError naming the operation, the axis and the legal combinations.
std::vector<layout::Placements> infer_placements(const Graph& graph, Op op, const Attributes& attributes,
                                                 std::span<const ValueId> operands,
                                                 std::span<const Plain> results);

/// Reads all operands once and writes all results once, no arithmetic to speak of.
Cost streaming_cost(const Signature& signature);

/// What a vjp sees: the operation, the cotangents of its results, and where to leave those of its operands.
class Vjp {
 public:
  Vjp(Builder& builder, const Operation& operation, std::vector<ValueId> result_cotangents,
      std::vector<bool> wanted_operands);
  Builder& build() { return builder_; }
  const Attributes& attributes() const { return operation_.attributes; }
  ValueId operand(int i) const { return operation_.operands[i]; }
  ValueId result(int i) const { return operation_.results[i]; }
  int operands() const { return static_cast<int>(operation_.operands.size()); }
  /// Of result i; CheckError where the loss does not depend on it.
  ValueId cotangent(int i) const;
  bool wanted(int operand) const { return wanted_[operand]; }
  /// The dtype in which operand i wants its cotangent: exact where it accumulates, else its own.
  base::DType dtype(int operand) const;
  void give(int operand, ValueId cotangent) { given_[operand] = cotangent; }
  const std::vector<ValueId>& given() const { return given_; }

 private:
  Builder& builder_;
  Operation operation_;  // a copy: building moves the graph's vectors
  std::vector<ValueId> cotangents_;
  std::vector<bool> wanted_;
  std::vector<ValueId> given_;
};

}  // namespace pleat::graph
