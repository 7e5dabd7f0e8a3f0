// SPDX-License-Identifier: Apache-2.0
// Causal grouped-query attention within documents, and its gradient.
#include "graph/ops/ops.h"

namespace pleat::graph {
namespace {

std::vector<Plain> attention_results(const Context& c) {
  for (int i = 0; i < 3; ++i) require_dims(c, Op::attention, i, 3);
  const base::Shape &q = c.operands[0].shape, &k = c.operands[1].shape;
  require(k == c.operands[2].shape && q[0] == k[0] && q[2] == k[2], Op::attention,
          "q {}, k {}, v {} do not fit", base::to_string(q), base::to_string(k),
          base::to_string(c.operands[2].shape));
  require(q[1] % k[1] == 0, Op::attention, "{} key-value heads do not divide {} heads", k[1], q[1]);
  require(q[0] % c.attributes.integer("sequence") == 0, Op::attention, "{} tokens are no whole samples of {}",
          q[0], c.attributes.integer("sequence"));
  return {c.operands[0], {c.exact, {q[0], q[1]}}};
}
std::vector<Pattern> attention_patterns(const Context&) {
  return {pattern("s0 s0 s0 s0 > s0 s0"), pattern("s1 s1 s1 h > s1 s1")};
}
void attention_vjp(Vjp& v) {
  const auto grads = v.build().apply(
      Op::attention_grad, v.attributes(),
      {v.operand(0), v.operand(1), v.operand(2), v.operand(3), v.result(0), v.result(1), v.cotangent(0)});
  for (int i = 0; i < 3; ++i) v.give(i, grads[i]);
}

std::vector<Plain> grad_results(const Context& c) {
  return {c.operands[0], c.operands[1], c.operands[2]};
}
std::vector<Pattern> grad_patterns(const Context&) {
  return {pattern("s0 s0 s0 s0 s0 s0 s0 > s0 s0 s0"), pattern("s1 s1 s1 h s1 s1 s1 > s1 s1 s1")};
}

/// Pairs (i, j) that one sample computes: causal, within the window.
double visible_pairs(const Attributes& attributes) {
  const double s = static_cast<double>(attributes.integer("sequence"));
  const double window = static_cast<double>(attributes.integer("window"));
  if (window == 0 || window >= s) return s * (s + 1) / 2;
  return window * (window + 1) / 2 + (s - window) * window;
}
Cost cost(const Signature& s) {
  Cost result = streaming_cost(s);
  const base::Shape& q = s.reads[0].shape;
  const double samples = static_cast<double>(q[0]) / static_cast<double>(s.attributes.integer("sequence"));
  const double products = s.op == Op::attention ? 2 : 5;
  result.flops = 2.0 * products * samples * visible_pairs(s.attributes) * static_cast<double>(q[1] * q[2]);
  return result;
}

}  // namespace

const Facts kAttention{Op::attention, attention_results, attention_patterns, {}, attention_vjp, cost};
const Facts kAttentionGrad{Op::attention_grad, grad_results, grad_patterns, {64}, nullptr, cost};

}  // namespace pleat::graph
