// SPDX-License-Identifier: Apache-2.0
// The list of a model's stored parameters. D model width, H query heads, G key-value heads, N head dim, I and
// F feed-forward widths, E experts, V vocabulary.
#include "model/families/parameters.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/errors.h"

namespace pleat::model {
namespace {

using config::ModelConfig;

class Collector {
 public:
  explicit Collector(const ModelConfig& config) : config_(config) {}

  void outside_layers() {
    matrix("model.embed_tokens.weight", {config_.vocab_size, config_.hidden_size}, ParameterKind::embedding);
    norm("model.norm.weight", config_.hidden_size);
    if (!config_.tie_word_embeddings)
      matrix("lm_head.weight", {config_.vocab_size, config_.hidden_size}, ParameterKind::head);
  }

  void layer(int64_t index) {
    layer_ = index;
    prefix_ = fmt::format("model.layers.{}.", index);
    norm("input_layernorm.weight", config_.hidden_size);
    attention();
    norm("post_attention_layernorm.weight", config_.hidden_size);
    if (config_.is_moe(index))
      experts();
    else
      feed_forward();
  }

  std::vector<Parameter> take() {
    std::sort(list_.begin(), list_.end(),
              [](const Parameter& a, const Parameter& b) { return a.name < b.name; });
    return std::move(list_);
  }

 private:
  void attention() {
    const int64_t width = config_.hidden_size, queries = config_.num_attention_heads * config_.head_dim;
    const int64_t rows = queries + 2 * config_.num_key_value_heads * config_.head_dim;
    matrix("self_attn.qkv_proj.weight", {rows, width});
    matrix("self_attn.o_proj.weight", {width, queries});
    if (config_.attention_bias) {
      bias("self_attn.qkv_proj.bias", rows);
      bias("self_attn.o_proj.bias", width);
    }
    if (config_.has_qk_norm()) {
      norm("self_attn.q_norm.weight", config_.head_dim);
      norm("self_attn.k_norm.weight", config_.head_dim);
    }
  }
  void feed_forward() {
    matrix("mlp.gate_up_proj.weight", {2 * config_.intermediate_size, config_.hidden_size});
    matrix("mlp.down_proj.weight", {config_.hidden_size, config_.intermediate_size});
    if (!config_.mlp_bias) return;
    bias("mlp.gate_up_proj.bias", 2 * config_.intermediate_size);
    bias("mlp.down_proj.bias", config_.hidden_size);
  }
  void experts() {
    const int64_t count = config_.num_experts, width = config_.hidden_size, inner = config_.expert_width();
    matrix("mlp.gate.weight", {count, width}, ParameterKind::router);
    matrix("mlp.experts.gate_up_proj", {count, 2 * inner, width}, ParameterKind::experts);
    matrix("mlp.experts.down_proj", {count, width, inner}, ParameterKind::experts);
  }

  void matrix(std::string_view name, base::Shape shape, ParameterKind kind = ParameterKind::matrix) {
    list_.push_back({prefix_ + std::string(name), shape, kind, layer_, Initialisation::normal,
                     config_.initializer_range, true});
  }
  void norm(std::string_view name, int64_t width) {
    list_.push_back({prefix_ + std::string(name),
                     {width},
                     ParameterKind::norm,
                     layer_,
                     Initialisation::ones,
                     0.0,
                     false});
  }
  void bias(std::string_view name, int64_t width) {
    list_.push_back({prefix_ + std::string(name),
                     {width},
                     ParameterKind::bias,
                     layer_,
                     Initialisation::zeros,
                     0.0,
                     false});
  }

  const ModelConfig& config_;
  int64_t layer_ = -1;
  std::string prefix_;
  std::vector<Parameter> list_;
};

}  // namespace

std::vector<Parameter> parameters(const ModelConfig& config) {
  Collector collector(config);
  collector.outside_layers();
  for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer) collector.layer(layer);
  return collector.take();
}

std::vector<Parameter> layer_parameters(const ModelConfig& config, int64_t layer) {
  Collector collector(config);
  collector.layer(layer);
  return collector.take();
}

Parameter parameter_named(const ModelConfig& config, std::string_view name) {
  for (Parameter& parameter : parameters(config))
    if (parameter.name == name) return parameter;
  base::fail<base::CheckError>("this {} model has no parameter '{}'", config::name_of(config.family), name);
}

}  // namespace pleat::model
