// SPDX-License-Identifier: Apache-2.0
// embedding and its gradient.
#include "graph/ops/ops.h"

namespace pleat::graph {
namespace {

std::vector<Plain> embedding_results(const Context& c) {
  require_dims(c, Op::embedding, 0, 2), require_dims(c, Op::embedding, 1, 1);
  return {{c.operands[0].dtype, {c.operands[1].shape[0], c.operands[0].shape[1]}}};
}
std::vector<Pattern> embedding_patterns(const Context&) {
  return {pattern("h s0 > s0"), pattern("s1 h > s1")};
}
void embedding_vjp(Vjp& v) {
  const int64_t vocabulary = v.build()[v.operand(0)].type.shape[0];
  v.give(0, v.build().apply_one(Op::embedding_grad, {{"vocabulary", vocabulary}},
                                {v.operand(1), v.cotangent(0)}));
}

std::vector<Plain> embedding_grad_results(const Context& c) {
  return {{c.exact, {c.attributes.integer("vocabulary"), c.operands[1].shape[1]}}};
}
std::vector<Pattern> embedding_grad_patterns(const Context&) {
  return {pattern("s0 s0 > p"), pattern("h s1 > s1")};
}
Cost embedding_cost(const Signature& s) {
  const auto& rows = s.op == Op::embedding ? s.writes[0] : s.reads[1];
  return {0, 2.0 * static_cast<double>(rows.bytes()), 0};  // the table is read only where a token points
}

}  // namespace

const Facts kEmbedding{Op::embedding, embedding_results, embedding_patterns,
                       {1},           embedding_vjp,     embedding_cost};
const Facts kEmbeddingGrad{Op::embedding_grad, embedding_grad_results, embedding_grad_patterns, {2}, nullptr,
                           embedding_cost};

}  // namespace pleat::graph
