// SPDX-License-Identifier: Apache-2.0
// Token rows to expert rows and back: route, permute, unpermute, combine. Row numbers are local to a rank.
#include "graph/ops/ops.h"

namespace pleat::graph {
namespace {

std::vector<Plain> route_results(const Context& c) {
  require_dims(c, Op::route, 0, 2);
  return {c.operands[0],
          {base::DType::i32, {c.attributes.integer("sources"), c.attributes.integer("experts")}}};
}
std::vector<Pattern> route_patterns(const Context&) {
  return {pattern("s0 > s0 s0")};
}

std::vector<Plain> permute_results(const Context& c) {
  require_dims(c, Op::permute, 0, 2), require_dims(c, Op::permute, 1, 2);
  return {{c.operands[0].dtype, {c.attributes.integer("rows"), c.operands[0].shape[1]}}};
}
std::vector<Pattern> row_patterns(const Context&) {
  return {pattern("s0 s0 > s0"), pattern("s1 h > s1")};
}
void permute_vjp(Vjp& v) {
  v.give(0, v.build().apply_one(Op::unpermute, v.attributes(), {v.cotangent(0), v.operand(1)}));
}

std::vector<Plain> unpermute_results(const Context& c) {
  return {{c.operands[0].dtype, {c.operands[1].shape[0], c.operands[0].shape[1]}}};
}
void unpermute_vjp(Vjp& v) {
  Attributes attributes{{"rows", v.build()[v.operand(0)].type.shape[0]}};
  v.give(0, v.build().apply_one(Op::permute, attributes, {v.cotangent(0), v.operand(1)}));
}

std::vector<Plain> combine_results(const Context& c) {
  require(c.operands[1].shape == c.operands[2].shape, Op::combine, "rows {} and weights {}",
          base::to_string(c.operands[1].shape), base::to_string(c.operands[2].shape));
  return unpermute_results(c);
}
std::vector<Pattern> combine_patterns(const Context&) {
  return {pattern("s0 s0 s0 > s0"), pattern("s1 h h > s1")};
}
void combine_vjp(Vjp& v) {
  const auto grads =
      v.build().apply(Op::combine_grad, {}, {v.operand(0), v.operand(1), v.operand(2), v.cotangent(0)});
  v.give(0, grads[0]);
  v.give(2, grads[1]);
}

std::vector<Plain> combine_grad_results(const Context& c) {
  return {c.operands[0], {c.exact, c.operands[1].shape}};
}
std::vector<Pattern> combine_grad_patterns(const Context&) {
  return {pattern("s0 s0 s0 s0 > s0 s0"), pattern("s1 h h s1 > s1 p"), pattern("p h h h > h p"),
          pattern("h h p h > p h")};  // combine of partial rows, or of partial weights
}

/// The expert buffer is as large as the worst case, the rows that move are tokens times k.
Cost row_cost(const Signature& s) {
  const graph::OperandType& rows = s.reads[1];
  const graph::OperandType& wide = s.reads[0];
  const double moved =
      static_cast<double>(rows.shape.elements() * wide.shape.row_elements() * base::size_of(wide.dtype));
  return {moved, (s.op == Op::combine_grad ? 3.0 : 2.0) * moved, 0};
}

}  // namespace

const Facts kRoute{Op::route, route_results, route_patterns, {}, nullptr, streaming_cost};
const Facts kPermute{Op::permute, permute_results, row_patterns, {1}, permute_vjp, row_cost};
const Facts kUnpermute{Op::unpermute, unpermute_results, row_patterns, {1}, unpermute_vjp, row_cost};
const Facts kCombine{Op::combine, combine_results, combine_patterns, {1, 4}, combine_vjp, row_cost};
const Facts kCombineGrad{Op::combine_grad, combine_grad_results, combine_grad_patterns, {8}, nullptr,
                         row_cost};

}  // namespace pleat::graph
