// SPDX-License-Identifier: Apache-2.0
// rms_norm over the last dim, and its gradient.
#include "graph/ops/ops.h"

namespace pleat::graph {
namespace {

std::vector<Plain> rms_norm_results(const Context& c) {
  const base::Shape& x = c.operands[0].shape;
  require(x.dims() >= 2 && c.operands[1].shape == base::Shape{x[x.dims() - 1]}, Op::rms_norm,
          "weight of shape {} for x of shape {}", base::to_string(c.operands[1].shape), base::to_string(x));
  return {c.operands[0], {c.exact, base::Shape(std::span(x.begin(), x.end() - 1))}};
}
std::vector<Pattern> rms_norm_patterns(const Context& c) {
  std::vector<Pattern> patterns{pattern("s0 h > s0 s0")};
  if (c.operands[0].shape.dims() > 2) patterns.push_back(pattern("s1 h > s1 s1"));
  return patterns;
}
void rms_norm_vjp(Vjp& v) {
  const auto grads = v.build().apply(Op::rms_norm_grad, v.attributes(),
                                     {v.operand(0), v.operand(1), v.result(1), v.cotangent(0)});
  v.give(0, grads[0]);
  v.give(1, grads[1]);
}

std::vector<Plain> rms_norm_grad_results(const Context& c) {
  return {c.operands[0], {c.exact, c.operands[1].shape}};
}
std::vector<Pattern> rms_norm_grad_patterns(const Context& c) {
  std::vector<Pattern> patterns{pattern("s0 h s0 s0 > s0 p")};
  if (c.operands[0].shape.dims() > 2) patterns.push_back(pattern("s1 h s1 s1 > s1 p"));
  return patterns;
}

}  // namespace

const Facts kRmsNorm{Op::rms_norm, rms_norm_results, rms_norm_patterns, {}, rms_norm_vjp, streaming_cost};
const Facts kRmsNormGrad{Op::rms_norm_grad, rms_norm_grad_results, rms_norm_grad_patterns, {8},
                         nullptr,           streaming_cost};

}  // namespace pleat::graph
