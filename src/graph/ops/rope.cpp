// SPDX-License-Identifier: Apache-2.0
// rope and its table of angles.
#include "graph/ops/ops.h"

namespace pleat::graph {
namespace {

std::vector<Plain> table_results(const Context& c) {
  const int64_t width = c.attributes.integer("width");
  require(width % 2 == 0, Op::rope_table, "head dim {} is odd", width);
  return {{c.exact, {c.attributes.integer("sequence"), width}}};
}

std::vector<Plain> rope_results(const Context& c) {
  require_dims(c, Op::rope, 0, 3), require_dims(c, Op::rope, 1, 1), require_dims(c, Op::rope, 2, 2);
  const base::Shape& x = c.operands[0].shape;
  require(c.operands[1].shape[0] == x[0], Op::rope, "{} positions for {} tokens", c.operands[1].shape[0],
          x[0]);
  require(c.operands[2].shape[1] == x[2], Op::rope, "table of width {} for heads of {}",
          c.operands[2].shape[1], x[2]);
  return {c.operands[0]};
}
std::vector<Pattern> rope_patterns(const Context&) {
  return {pattern("s0 s0 h > s0"), pattern("s1 h h > s1")};
}
void rope_vjp(Vjp& v) {
  const int64_t inverse = 1 - v.attributes().integer("inverse");
  v.give(0,
         v.build().apply_one(Op::rope, {{"inverse", inverse}}, {v.cotangent(0), v.operand(1), v.operand(2)}));
}

}  // namespace

const Facts kRopeTable{Op::rope_table, table_results, nullptr, {}, nullptr, streaming_cost};
const Facts kRope{Op::rope, rope_results, rope_patterns, {1}, rope_vjp, streaming_cost};

}  // namespace pleat::graph
