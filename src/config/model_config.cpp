// SPDX-License-Identifier: Apache-2.0
// What follows from a model's fields alone: its kinds of layers, windows and sizes, and the defaults of its
// class.
#include "config/model_config.h"

#include <algorithm>

#include "base/errors.h"

namespace pleat::config {

bool ModelConfig::is_moe(int64_t layer) const {
  if (family == Family::mixtral) return num_experts > 0;
  if (family != Family::qwen3_moe || num_experts == 0) return false;
  const bool dense =
      std::find(mlp_only_layers.begin(), mlp_only_layers.end(), layer) != mlp_only_layers.end();
  return !dense && (layer + 1) % decoder_sparse_step == 0;
}

bool ModelConfig::has_qk_norm() const {
  return family == Family::qwen3 || family == Family::qwen3_moe;
}

int64_t ModelConfig::window(int64_t layer) const {
  switch (family) {
    case Family::unset:
    case Family::llama:
      return 0;
    case Family::mixtral:
      return sliding_window;
    case Family::qwen3_moe:
      return use_sliding_window ? sliding_window : 0;  // on every layer, unlike qwen3
    case Family::qwen3:
      break;
  }
  if (!use_sliding_window) return 0;
  const bool slides = layer_types.empty() ? layer >= max_window_layers
                                          : layer_types.at(static_cast<size_t>(layer)) == "sliding_attention";
  return slides ? sliding_window : 0;
}

int64_t ModelConfig::num_moe_layers() const {
  int64_t layers = 0;
  for (int64_t layer = 0; layer < num_hidden_layers; ++layer) layers += is_moe(layer);
  return layers;
}

static ModelConfig qwen3_class() {
  ModelConfig config;
  config.family = Family::qwen3;
  config.vocab_size = 151936;
  config.hidden_size = 4096;
  config.intermediate_size = 22016;
  config.num_hidden_layers = 32;
  config.num_attention_heads = 32;
  config.num_key_value_heads = 32;
  config.head_dim = 128;
  config.max_position_embeddings = 32768;
  config.max_window_layers = 28;
  return config;
}

static ModelConfig qwen3_moe_class() {
  ModelConfig config;
  config.family = Family::qwen3_moe;
  config.vocab_size = 151936;
  config.hidden_size = 2048;
  config.intermediate_size = 6144;
  config.num_hidden_layers = 24;
  config.num_attention_heads = 32;
  config.num_key_value_heads = 4;
  config.max_position_embeddings = 32768;
  config.moe_intermediate_size = 768;
  config.num_experts = 128;
  config.num_experts_per_tok = 8;
  config.router_aux_loss_coef = 0.001;
  return config;
}

static ModelConfig mixtral_class() {
  ModelConfig config;
  config.family = Family::mixtral;
  config.vocab_size = 32000;
  config.hidden_size = 4096;
  config.intermediate_size = 14336;
  config.num_hidden_layers = 32;
  config.num_attention_heads = 32;
  config.num_key_value_heads = 8;
  config.rms_norm_eps = 1e-5;
  config.rope.theta = 1e6;
  config.max_position_embeddings = 131072;
  config.num_experts = 8;
  config.num_experts_per_tok = 2;
  config.norm_topk_prob = true;
  config.router_aux_loss_coef = 0.001;
  return config;
}

static ModelConfig llama_class() {
  ModelConfig config;
  config.family = Family::llama;
  config.vocab_size = 32000;
  config.hidden_size = 4096;
  config.intermediate_size = 11008;
  config.num_hidden_layers = 32;
  config.num_attention_heads = 32;
  config.max_position_embeddings = 2048;
  return config;
}

ModelConfig class_defaults(Family family) {
  switch (family) {
    case Family::unset:
      break;
    case Family::llama:
      return llama_class();
    case Family::mixtral:
      return mixtral_class();
    case Family::qwen3:
      return qwen3_class();
    case Family::qwen3_moe:
      return qwen3_moe_class();
  }
  return {};
}

ParameterCounts parameter_counts(const ModelConfig& c) {
  const int64_t query = c.num_attention_heads * c.head_dim, key_value = c.num_key_value_heads * c.head_dim;
  const int64_t width = c.hidden_size;
  int64_t attention =
      width * (query + 2 * key_value) + query * width + 2 * width;  // with both norms of the layer
  if (c.attention_bias) attention += query + 2 * key_value + width;
  if (c.has_qk_norm()) attention += 2 * c.head_dim;
  int64_t dense = 3 * width * c.intermediate_size;
  if (c.mlp_bias) dense += 2 * c.intermediate_size + width;
  const int64_t expert = 3 * width * c.expert_width(), router = c.num_experts * width;

  const int64_t sparse_layers = c.num_moe_layers(), dense_layers = c.num_hidden_layers - sparse_layers;
  const int64_t embeddings = c.vocab_size * width * (c.tie_word_embeddings ? 1 : 2);
  const int64_t shared =
      embeddings + width + c.num_hidden_layers * attention + dense_layers * dense + sparse_layers * router;
  return {shared + sparse_layers * c.num_experts * expert,
          shared + sparse_layers * c.num_experts_per_tok * expert};
}

}  // namespace pleat::config
