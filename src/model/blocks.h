// SPDX-License-Identifier: Apache-2.0
// The blocks of the model, each in its own file, forward only. Shapes: T tokens, D model width, H query
// heads, G key-value heads, N head dim, F feed-forward width, E experts, K top-k, V vocabulary.
#pragma once
#include <string>
#include <vector>

#include "graph/builder.h"
#include "model/chunk.h"

namespace pleat::model {

/// What every block needs: the builder, the request, and the inputs it may read.
struct Site {
  graph::Builder& build;
  const ChunkRequest& request;
  graph::ValueId positions;   // [T]
  graph::ValueId documents;   // [T]
  graph::ValueId rope_table;  // [S,N]

  const config::ModelConfig& config() const { return request.config; }
  /// A parameter of the dense mesh, for use in products (activation dtype) or elsewhere (exact dtype).
  graph::ValueId weight(const std::string& name, base::DType dtype) const;
  graph::ValueId weight(const std::string& name) const { return weight(name, request.activation); }
  graph::ValueId exact_weight(const std::string& name) const { return weight(name, request.exact); }
  /// Experts stacked in dim 0, sharded over ep.
  graph::ValueId expert_weight(const std::string& name) const;
  std::string in_layer(int64_t layer, std::string_view rest) const;
};

/// x [T,D] normed by the named weight.
graph::ValueId norm(const Site& site, graph::ValueId x, const std::string& weight);
/// y = x w^T (+ bias if the model has one under the weight's name).
graph::ValueId project(const Site& site, graph::ValueId x, const std::string& layer_name, bool bias);

/// Grouped-query attention with rotary positions, after the norm: x [T,D] -> [T,D].
graph::ValueId attention_block(const Site& site, graph::ValueId x, int64_t layer);
/// down(silu(gate x) * up x): x [T,D] -> [T,D].
graph::ValueId mlp_block(const Site& site, graph::ValueId x, int64_t layer);

/// The router sums that the auxiliary losses pool over layers; invalid before the first expert layer.
struct RouterSums {
  graph::ValueId counts, sums, squares;
};
/// Dropless mixture of experts: x [T,D] -> [T,D]; adds its router's sums.
graph::ValueId moe_block(const Site& site, graph::ValueId x, int64_t layer, RouterSums& sums);

/// Final norm and head: x [T,D] -> logits [T,V].
graph::ValueId head_block(const Site& site, graph::ValueId x);

}  // namespace pleat::model
