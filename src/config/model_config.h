// SPDX-License-Identifier: Apache-2.0
// The shape of a model as a plain value. Fields carry the names of Hugging Face's config.json; where a family
// has a name of its own for the same thing (Mixtral's num_local_experts), model/families translates. Nothing
// here reads or checks files.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pleat::config {

enum class Family : uint8_t { unset, llama, mixtral, qwen3, qwen3_moe };
inline constexpr std::array<std::string_view, 5> kFamilyNames{"unset", "llama", "mixtral", "qwen3",
                                                              "qwen3_moe"};
constexpr std::string_view name_of(Family family) {
  return kFamilyNames[static_cast<size_t>(family)];
}

enum class RopeType : uint8_t { default_, linear, llama3, yarn };
inline constexpr std::array<std::string_view, 4> kRopeTypeNames{"default", "linear", "llama3", "yarn"};
constexpr std::string_view name_of(RopeType type) {
  return kRopeTypeNames[static_cast<size_t>(type)];
}

/// Rotary embedding, resolved: what a type does not use keeps the value here, so equal tables are equal
/// values.
struct Rope {
  RopeType type = RopeType::default_;
  double theta = 10000.0;
  double factor = 1.0;
  double low_freq_factor = 1.0;
  double high_freq_factor = 4.0;
  int64_t original_max_position_embeddings = 0;  // llama3 and yarn
  double beta_fast = 32.0;
  double beta_slow = 1.0;
  bool truncate = true;
  double attention_factor = 1.0;  // yarn: given, or from factor, mscale and mscale_all_dim
  bool operator==(const Rope&) const = default;
};

struct ModelConfig {
  Family family = Family::unset;
  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;  // dense layers; in mixtral every expert
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 0;
  int64_t num_key_value_heads = 0;
  int64_t head_dim = 0;
  double rms_norm_eps = 1e-6;
  Rope rope;
  int64_t max_position_embeddings = 0;
  bool tie_word_embeddings = false;
  bool attention_bias = false;  // on q, k, v and o
  bool mlp_bias = false;        // llama only
  int64_t sliding_window = 0;   // 0: none
  bool use_sliding_window = false;
  int64_t max_window_layers = 0;  // qwen3 without layer_types: the first layer with the window
  std::vector<std::string>
      layer_types;          // qwen3: full_attention or sliding_attention; empty: by max_window_layers
  int64_t num_experts = 0;  // 0: dense
  int64_t num_experts_per_tok = 0;
  int64_t moe_intermediate_size = 0;
  bool norm_topk_prob = false;  // true in every mixtral
  int64_t decoder_sparse_step = 1;
  std::vector<int64_t> mlp_only_layers;
  double router_aux_loss_coef = 0.0;
  double router_z_loss_coef = 0.0;    // ours; Hugging Face ignores the key
  bool output_router_logits = false;  // whether the auxiliary terms are part of the loss
  double initializer_range = 0.02;
  bool operator==(const ModelConfig&) const = default;

  bool is_moe(int64_t layer) const;
  bool has_qk_norm() const;
  /// The number of tokens a query of this layer sees, itself included; 0: all before it.
  int64_t window(int64_t layer) const;
  int64_t num_moe_layers() const;
  /// F of an expert: mixtral calls it intermediate_size.
  int64_t expert_width() const {
    return family == Family::mixtral ? intermediate_size : moe_intermediate_size;
  }
};

/// What the family's class has where config.json is silent. Sizes that describe one model (vocab_size, ...)
/// included.
ModelConfig class_defaults(Family family);

struct ParameterCounts {
  int64_t total = 0;
  int64_t active = 0;  // those one token meets, both embeddings included
};
ParameterCounts parameter_counts(const ModelConfig& config);

/// The rules of every field and between them. `place` turns a key of the job ("model.head_dim") into the
/// words that say where it was written and begin the JobError.
void check_model(const ModelConfig& config, const std::function<std::string(std::string_view key)>& place);

}  // namespace pleat::config
