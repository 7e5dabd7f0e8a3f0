// SPDX-License-Identifier: Apache-2.0
// The softmax top-k router, its pooled sums and the load-balancing loss, with their gradients.
#include "graph/ops/ops.h"

namespace pleat::graph {
namespace {

std::vector<Plain> router_results(const Context& c) {
  require_dims(c, Op::router, 0, 2);
  const int64_t tokens = c.operands[0].shape[0], experts = c.operands[0].shape[1],
                k = c.attributes.integer("top_k");
  require(k >= 1 && k <= experts, Op::router, "top_k {} of {} experts", k, experts);
  return {c.operands[0], {c.exact, {tokens, k}}, {base::DType::i32, {tokens, k}}, {c.exact, {tokens}}};
}
std::vector<Pattern> router_patterns(const Context&) {
  return {pattern("s0 > s0 s0 s0 s0")};
}
void router_vjp(Vjp& v) {
  v.give(0, v.build().apply_one(
                Op::router_grad, v.attributes(),
                {v.result(0), v.result(1), v.result(2), v.cotangent(1), v.cotangent(0), v.cotangent(3)}));
}

std::vector<Plain> router_grad_results(const Context& c) {
  return {c.operands[0]};
}
std::vector<Pattern> router_grad_patterns(const Context&) {
  return {pattern("s0 s0 s0 s0 s0 s0 > s0")};
}

std::vector<Plain> sums_results(const Context& c) {
  const int64_t tokens = c.operands[0].shape[0], experts = c.operands[0].shape[1];
  const int64_t groups = c.attributes.integer("groups");
  require(groups >= 1 && tokens % groups == 0, Op::router_sums, "{} tokens in {} groups", tokens, groups);
  return {{c.exact, {groups, experts}}, {c.exact, {groups, experts}}, {c.exact, {groups}}};
}
bool pooled(const Context& c) {
  return c.attributes.integer("groups") == 1;
}
std::vector<Pattern> sums_patterns(const Context& c) {
  return {pooled(c) ? pattern("s0 s0 s0 > p p p") : pattern("s0 s0 s0 > s0 s0 s0")};
}
void sums_vjp(Vjp& v) {
  const int64_t experts = v.build()[v.operand(0)].type.shape[1];
  Attributes attributes{{"groups", v.attributes().integer("groups")}, {"experts", experts}};
  const auto grads =
      v.build().apply(Op::router_sums_grad, attributes, {v.operand(2), v.cotangent(1), v.cotangent(2)});
  v.give(0, grads[0]);
  v.give(2, grads[1]);
}

std::vector<Plain> sums_grad_results(const Context& c) {
  return {{c.exact, {c.operands[0].shape[0], c.attributes.integer("experts")}}, c.operands[0]};
}
std::vector<Pattern> sums_grad_patterns(const Context& c) {
  return {pooled(c) ? pattern("s0 h h > s0 s0") : pattern("s0 s0 s0 > s0 s0")};
}

std::vector<Plain> balance_results(const Context& c) {
  require(c.operands[0].shape == c.operands[1].shape, Op::balance_loss, "counts {} and sums {}",
          base::to_string(c.operands[0].shape), base::to_string(c.operands[1].shape));
  return {{c.exact, {c.operands[0].shape[0]}}};
}
std::vector<Pattern> by_group(const Context&) {
  return {pattern("s0 s0 > s0")};
}
void balance_vjp(Vjp& v) {
  v.give(1, v.build().apply_one(Op::balance_loss_grad, v.attributes(), {v.operand(0), v.cotangent(0)}));
}
std::vector<Plain> balance_grad_results(const Context& c) {
  return {c.operands[0]};
}

}  // namespace

const Facts kRouter{Op::router, router_results, router_patterns, {}, router_vjp, streaming_cost};
const Facts kRouterGrad{Op::router_grad, router_grad_results, router_grad_patterns, {56},
                        nullptr,         streaming_cost};
const Facts kRouterSums{Op::router_sums, sums_results, sums_patterns, {}, sums_vjp, streaming_cost};
const Facts kRouterSumsGrad{Op::router_sums_grad, sums_grad_results, sums_grad_patterns, {6}, nullptr,
                            streaming_cost};
const Facts kBalanceLoss{Op::balance_loss, balance_results, by_group, {}, balance_vjp, streaming_cost};
const Facts kBalanceLossGrad{Op::balance_loss_grad, balance_grad_results, by_group, {2}, nullptr,
                             streaming_cost};

}  // namespace pleat::graph
