// SPDX-License-Identifier: Apache-2.0
// Dropless mixture of experts: a softmax router in the exact dtype, dispatch of token rows to their experts,
// two grouped products around swiglu, weighted combination.
#include "graph/dispatch.h"
#include "model/blocks.h"

namespace pleat::model {
namespace {

using graph::Attributes;
using graph::Op;
using graph::ValueId;

struct Routed {
  ValueId weights, indices;  // [T,K]
};

ValueId pooled(graph::Builder& b, ValueId running, ValueId mine) {
  return running.valid() ? graph::add(b, running, mine) : mine;
}

Routed route(const Site& site, ValueId x, int64_t layer, RouterSums& sums) {
  graph::Builder& b = site.build;
  const config::ModelConfig& c = site.config();
  const ValueId weight = site.exact_weight(site.in_layer(layer, "mlp.gate.weight"));
  const ValueId logits = graph::linear(b, x, weight, b.exact());
  const Attributes router{{"top_k", c.num_experts_per_tok}, {"renormalise", int64_t{c.norm_topk_prob}}};
  const std::vector<ValueId> routed = b.apply(Op::router, router, {logits});
  const int64_t groups =
      site.request.scope == AuxiliaryScope::micro_batch ? site.request.layout.size(layout::Axis::dp) : 1;
  const auto mine = b.apply(Op::router_sums, {{"groups", groups}}, {routed[0], routed[2], routed[3]});
  b.output(fmt::format("metric.router.{}", layer), b.apply_one(Op::column_sum, {}, {mine[0]}));
  sums = {pooled(b, sums.counts, mine[0]), pooled(b, sums.sums, mine[1]), pooled(b, sums.squares, mine[2])};
  return {routed[1], routed[2]};
}

}  // namespace

ValueId moe_block(const Site& site, ValueId x, int64_t layer, RouterSums& sums) {
  graph::Builder& b = site.build;
  const Routed routed = route(site, x, layer, sums);
  const graph::Dispatched d = graph::dispatch(b, x, routed.indices, site.config().num_experts, kExpertTile);
  const Attributes rows{{"tile", kExpertTile}, {"balanced", d.balanced}};
  Attributes product = rows;
  product.set("transpose_b", int64_t{1});
  const ValueId up = site.expert_weight(site.in_layer(layer, "mlp.experts.gate_up_proj"));
  const ValueId down = site.expert_weight(site.in_layer(layer, "mlp.experts.down_proj"));
  const ValueId gate_up = b.apply_one(Op::grouped_matmul, product, {d.rows, up, d.counts});
  const ValueId inner = b.apply_one(Op::swiglu, rows, {gate_up, d.counts});
  const ValueId y = b.apply_one(Op::grouped_matmul, product, {inner, down, d.counts});
  return graph::combine(b, d, y, routed.weights);
}

}  // namespace pleat::model
