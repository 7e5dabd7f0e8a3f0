// SPDX-License-Identifier: Apache-2.0
// What the blocks have in common: parameters by name, norms, projections.
#include "model/blocks.h"

#include "base/errors.h"
#include "model/families/parameters.h"

namespace pleat::model {

using graph::ValueId;
using layout::Axis;
using layout::MeshKind;
using layout::Placement;
using layout::Placements;

ValueId Site::weight(const std::string& name, base::DType dtype) const {
  return build.parameter(name, parameter_named(config(), name).shape, Placements(MeshKind::dense), dtype);
}

ValueId Site::expert_weight(const std::string& name) const {
  const Placements placements = Placements(MeshKind::expert).with(Axis::ep, Placement::sharded(0));
  return build.parameter(name, parameter_named(config(), name).shape, placements, request.activation);
}

std::string Site::in_layer(int64_t layer, std::string_view rest) const {
  return fmt::format("model.layers.{}.{}", layer, rest);
}

ValueId norm(const Site& site, ValueId x, const std::string& weight) {
  return site.build.apply(graph::Op::rms_norm, {{"eps", site.config().rms_norm_eps}},
                          {x, site.exact_weight(weight)})[0];
}

ValueId project(const Site& site, ValueId x, const std::string& layer_name, bool bias) {
  const ValueId y =
      graph::linear(site.build, x, site.weight(layer_name + ".weight"), site.request.activation);
  if (!bias) return y;
  return site.build.apply_one(graph::Op::add_bias, {}, {y, site.exact_weight(layer_name + ".bias")});
}

ValueId mlp_block(const Site& site, ValueId x, int64_t layer) {
  const bool bias = site.config().mlp_bias;
  const ValueId gate_up = project(site, x, site.in_layer(layer, "mlp.gate_up_proj"), bias);
  const ValueId inner = site.build.apply_one(graph::Op::swiglu, {}, {gate_up});
  return project(site, inner, site.in_layer(layer, "mlp.down_proj"), bias);
}

ValueId head_block(const Site& site, ValueId x) {
  const ValueId normed = norm(site, x, "model.norm.weight");
  const std::string head = site.config().tie_word_embeddings ? "model.embed_tokens.weight" : "lm_head.weight";
  return graph::linear(site.build, normed, site.weight(head), site.request.activation);
}

}  // namespace pleat::model
