// SPDX-License-Identifier: Apache-2.0
// Per-token cross entropy of whole vocabulary rows, and its gradient.
#include "graph/ops/ops.h"

namespace pleat::graph {
namespace {

std::vector<Plain> results(const Context& c) {
  require_dims(c, Op::cross_entropy, 0, 2);
  const int64_t tokens = c.operands[0].shape[0];
  require(c.operands[1].shape == base::Shape{tokens} && c.operands[2].shape == base::Shape{tokens},
          Op::cross_entropy, "targets {} and weights {} for {} tokens", base::to_string(c.operands[1].shape),
          base::to_string(c.operands[2].shape), tokens);
  return {{c.exact, {tokens}}, {c.exact, {tokens}}};
}
std::vector<Pattern> patterns(const Context&) {
  return {pattern("s0 s0 s0 > s0 s0")};
}
void vjp(Vjp& v) {
  v.give(0, v.build().apply_one(Op::cross_entropy_grad, {},
                                {v.operand(0), v.operand(1), v.operand(2), v.result(1), v.cotangent(0)}));
}

std::vector<Plain> grad_results(const Context& c) {
  return {c.operands[0]};
}
std::vector<Pattern> grad_patterns(const Context&) {
  return {pattern("s0 s0 s0 s0 s0 > s0")};
}

}  // namespace

const Facts kCrossEntropy{Op::cross_entropy, results, patterns, {}, vjp, streaming_cost};
const Facts kCrossEntropyGrad{Op::cross_entropy_grad, grad_results, grad_patterns, {16}, nullptr,
                              streaming_cost};

}  // namespace pleat::graph
