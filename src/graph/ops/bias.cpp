// SPDX-License-Identifier: Apache-2.0
// add_bias, column_sum, token_sum: rows and their sums.
#include "graph/ops/ops.h"

namespace pleat::graph {
namespace {

std::vector<Plain> add_bias_results(const Context& c) {
  require_dims(c, Op::add_bias, 0, 2);
  require(c.operands[1].shape == base::Shape{c.operands[0].shape[1]}, Op::add_bias,
          "bias of shape {} for rows of {}", base::to_string(c.operands[1].shape), c.operands[0].shape[1]);
  return {c.operands[0]};
}
std::vector<Pattern> add_bias_patterns(const Context&) {
  return {pattern("s0 h > s0"), pattern("s1 s0 > s1")};
}
void add_bias_vjp(Vjp& v) {
  v.give(0, v.cotangent(0));
  v.give(1, v.build().apply_one(Op::column_sum, {}, {v.cotangent(0)}));
}

std::vector<Plain> column_sum_results(const Context& c) {
  require_dims(c, Op::column_sum, 0, 2);
  return {{c.exact, {c.operands[0].shape[1]}}};
}
std::vector<Pattern> column_sum_patterns(const Context&) {
  return {pattern("s0 > p"), pattern("s1 > s0")};
}

std::vector<Plain> token_sum_results(const Context& c) {
  require_dims(c, Op::token_sum, 0, 1);
  return {{base::DType::f64, {1}}};
}
std::vector<Pattern> token_sum_patterns(const Context&) {
  return {pattern("s0 > p")};
}

}  // namespace

const Facts kAddBias{Op::add_bias, add_bias_results, add_bias_patterns, {3}, add_bias_vjp, streaming_cost};
const Facts kColumnSum{Op::column_sum, column_sum_results, column_sum_patterns, {1}, nullptr, streaming_cost};
const Facts kTokenSum{Op::token_sum, token_sum_results, token_sum_patterns, {1}, nullptr, streaming_cost};

}  // namespace pleat::graph
