// SPDX-License-Identifier: Apache-2.0
// Grouped-query attention: one product for q, k and v, per-head norms where the family has them, rotary
// positions, causal attention within documents (and a window), output projection.
#include <cmath>

#include "model/blocks.h"

namespace pleat::model {
namespace {

using graph::Op;
using graph::ValueId;

/// [T, heads N] -> [T, heads, N], normed per head and rotated.
ValueId rotated_heads(const Site& site, ValueId x, int64_t heads, const std::string& norm_weight) {
  const config::ModelConfig& c = site.config();
  ValueId h = graph::reshape(site.build, x, {site.request.tokens(), heads, c.head_dim});
  if (c.has_qk_norm()) h = norm(site, h, norm_weight);
  return site.build.apply_one(Op::rope, {{"inverse", int64_t{0}}}, {h, site.positions, site.rope_table});
}

}  // namespace

ValueId attention_block(const Site& site, ValueId x, int64_t layer) {
  const config::ModelConfig& c = site.config();
  const int64_t heads = c.num_attention_heads, pairs = c.num_key_value_heads, n = c.head_dim;
  const ValueId qkv = project(site, x, site.in_layer(layer, "self_attn.qkv_proj"), c.attention_bias);
  const std::vector<ValueId> parts = graph::split(site.build, qkv, {heads * n, pairs * n, pairs * n});
  const ValueId q = rotated_heads(site, parts[0], heads, site.in_layer(layer, "self_attn.q_norm.weight"));
  const ValueId k = rotated_heads(site, parts[1], pairs, site.in_layer(layer, "self_attn.k_norm.weight"));
  const ValueId v = graph::reshape(site.build, parts[2], {site.request.tokens(), pairs, n});
  const graph::Attributes attributes{{"sequence", site.request.sequence},
                                     {"window", c.window(layer)},
                                     {"scale", 1.0 / std::sqrt(static_cast<double>(n))}};
  const ValueId o = site.build.apply(Op::attention, attributes, {q, k, v, site.documents})[0];
  const ValueId flat = graph::reshape(site.build, o, {site.request.tokens(), heads * n});
  return project(site, flat, site.in_layer(layer, "self_attn.o_proj"), c.attention_bias);
}

}  // namespace pleat::model
