// SPDX-License-Identifier: Apache-2.0
// One product per expert over its rows, the outer products for the weights, and the counts of this rank's
// experts. Over ep the experts are sharded (counts [P,E]: dim 1); over edp the rows are other tokens (counts:
// dim 0).
#include "graph/ops/ops.h"

namespace pleat::graph {
namespace {

std::vector<Plain> grouped_results(const Context& c) {
  require_dims(c, Op::grouped_matmul, 0, 2), require_dims(c, Op::grouped_matmul, 1, 3);
  const bool tb = c.attributes.integer("transpose_b") != 0;
  const base::Shape &x = c.operands[0].shape, &w = c.operands[1].shape;
  require(x[1] == w[tb ? 2 : 1], Op::grouped_matmul, "rows of {} for experts of shape {}", x[1],
          base::to_string(w));
  return {{c.operands[0].dtype, {x[0], w[tb ? 1 : 2]}}};
}
std::vector<Pattern> grouped_patterns(const Context&) {
  return {pattern("s0 s0 s1 > s0"), pattern("s0 h s0 > s0")};
}
void grouped_vjp(Vjp& v) {
  Builder& b = v.build();
  Attributes turned = v.attributes();
  const bool tb = turned.integer("transpose_b") != 0;
  turned.set("transpose_b", int64_t{!tb});
  v.give(0, b.apply_one(Op::grouped_matmul, turned, {v.cotangent(0), v.operand(1), v.operand(2)}));
  Attributes outer = v.attributes();
  outer.set("experts", b[v.operand(1)].type.shape[0]);
  const ValueId left = tb ? v.cotangent(0) : v.operand(0), right = tb ? v.operand(0) : v.cotangent(0);
  v.give(1, b.apply_one(Op::grouped_outer, outer, {left, right, v.operand(2)}));
}

std::vector<Plain> outer_results(const Context& c) {
  return {{c.exact, {c.attributes.integer("experts"), c.operands[0].shape[1], c.operands[1].shape[1]}}};
}
std::vector<Pattern> outer_patterns(const Context&) {
  return {pattern("s0 s0 s1 > s0"), pattern("s0 s0 s0 > p")};
}

std::vector<Plain> counts_results(const Context& c) {
  return {c.operands[0]};
}

/// With balanced experts; the bound only sizes the buffers.
Cost cost(const Signature& s) {
  const double rows = s.attributes.has("balanced") ? s.attributes.number("balanced")
                                                   : static_cast<double>(s.reads[0].shape[0]);
  const graph::OperandType& w = s.op == Op::grouped_matmul ? s.reads[1] : s.writes[0];
  const double k = static_cast<double>(w.shape[2]), n = static_cast<double>(w.shape[1]);
  const double element = static_cast<double>(base::size_of(s.reads[0].dtype));
  return {2.0 * rows * k * n, static_cast<double>(w.bytes()) + rows * (k + n) * element, 0};
}

}  // namespace

const Facts kGroupedMatmul{Op::grouped_matmul, grouped_results, grouped_patterns, {1, 2}, grouped_vjp, cost};
const Facts kGroupedOuter{Op::grouped_outer, outer_results, outer_patterns, {1, 2}, nullptr, cost};
const Facts kExpertCounts{Op::expert_counts, counts_results, nullptr, {}, nullptr, streaming_cost};

}  // namespace pleat::graph
