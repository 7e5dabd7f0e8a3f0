// SPDX-License-Identifier: Apache-2.0
// swiglu over (gate, up) columns; with counts only over expert rows.
#include "graph/ops/ops.h"

namespace pleat::graph {
namespace {

std::vector<Plain> swiglu_results(const Context& c) {
  require_dims(c, Op::swiglu, 0, 2);
  const base::Shape& x = c.operands[0].shape;
  require(x[1] % 2 == 0, Op::swiglu, "{} columns are not gate and up", x[1]);
  return {{c.operands[0].dtype, {x[0], x[1] / 2}}};
}
std::vector<Pattern> swiglu_patterns(const Context& c) {
  if (c.operands.size() == 1) return {pattern("s0 > s0")};
  return {pattern("s0 s0 > s0"), pattern("s0 s1 > s0")};
}
void swiglu_vjp(Vjp& v) {
  std::vector<ValueId> operands{v.operand(0), v.cotangent(0)};
  if (v.operands() == 2) operands.push_back(v.operand(1));
  v.give(0, v.build().apply_one(Op::swiglu_grad, v.attributes(), operands));
}

std::vector<Plain> swiglu_grad_results(const Context& c) {
  return {c.operands[0]};
}
std::vector<Pattern> swiglu_grad_patterns(const Context& c) {
  if (c.operands.size() == 2) return {pattern("s0 s0 > s0")};
  return {pattern("s0 s0 s0 > s0"), pattern("s0 s0 s1 > s0")};
}
Cost cost(const Signature& s) {
  Cost result = streaming_cost(s);
  if (s.attributes.has("balanced")) {
    const double share = s.attributes.number("balanced") / static_cast<double>(s.reads[0].shape[0]);
    result.bytes *= share, result.flops *= share;
  }
  return result;
}

}  // namespace

const Facts kSwiglu{Op::swiglu, swiglu_results, swiglu_patterns, {}, swiglu_vjp, cost};
const Facts kSwigluGrad{Op::swiglu_grad, swiglu_grad_results, swiglu_grad_patterns, {2}, nullptr, cost};

}  // namespace pleat::graph
