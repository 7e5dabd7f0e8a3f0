// SPDX-License-Identifier: Apache-2.0
// Which slice of which stored parameter each tensor of a Hugging Face file is. A fused parameter is cut along
// its rows; stacked experts along the expert dim first.
#include <fmt/format.h>

#include <array>

#include "model/families/parameters.h"

namespace pleat::model {
namespace {

using base::Shape;
using config::Family;
using config::ModelConfig;

struct Cutter {
  const ModelConfig& config;
  bool fused_experts;
  std::vector<HuggingFaceTensor> tensors;

  void whole(const Parameter& parameter, std::string name) {
    Shape begin = parameter.shape;
    for (int dim = 0; dim < begin.dims(); ++dim) begin[dim] = 0;
    tensors.push_back({std::move(name), parameter.shape, parameter.name, begin, parameter.shape});
  }

  struct Part {
    std::string_view name;
    int64_t rows;
  };
  /// model.layers.0.self_attn.qkv_proj.bias -> ...q_proj.bias, ...k_proj.bias, ...v_proj.bias
  void rows(const Parameter& parameter, std::string_view fused, std::span<const Part> parts) {
    const size_t at = parameter.name.find(fused);
    int64_t row = 0;
    for (const Part& part : parts) {
      Shape begin = parameter.shape, extent = parameter.shape;
      for (int dim = 0; dim < begin.dims(); ++dim) begin[dim] = 0;
      begin[0] = row;
      extent[0] = part.rows;
      std::string name = parameter.name;
      name.replace(at, fused.size(), part.name);
      tensors.push_back({std::move(name), extent, parameter.name, begin, extent});
      row += part.rows;
    }
  }

  /// The `parts` lie one after the other in dim 1 of every expert.
  void experts(const Parameter& parameter, std::span<const Part> parts) {
    const std::string prefix = fmt::format("model.layers.{}.{}.experts.", parameter.layer,
                                           config.family == Family::mixtral ? "block_sparse_moe" : "mlp");
    const int64_t columns = parameter.shape[2];
    for (int64_t expert = 0; expert < parameter.shape[0]; ++expert) {
      int64_t row = 0;
      for (const Part& part : parts) {
        tensors.push_back({fmt::format("{}{}.{}.weight", prefix, expert, part.name),
                           {part.rows, columns},
                           parameter.name,
                           {expert, row, 0},
                           {1, part.rows, columns}});
        row += part.rows;
      }
    }
  }

  void cut_experts(const Parameter& parameter) {
    if (fused_experts) return whole(parameter, parameter.name);
    const bool mixtral = config.family == Family::mixtral;
    const int64_t inner = config.expert_width();
    if (parameter.name.ends_with("gate_up_proj"))
      return experts(parameter, std::array{Part{mixtral ? "w1" : "gate_proj", inner},
                                           Part{mixtral ? "w3" : "up_proj", inner}});
    experts(parameter, std::array{Part{mixtral ? "w2" : "down_proj", config.hidden_size}});
  }

  void cut(const Parameter& parameter) {
    const int64_t queries = config.num_attention_heads * config.head_dim;
    const int64_t keys = config.num_key_value_heads * config.head_dim, inner = config.intermediate_size;
    if (parameter.kind == ParameterKind::experts) return cut_experts(parameter);
    if (parameter.name.find("qkv_proj") != std::string::npos)
      return rows(parameter, "qkv_proj",
                  std::array{Part{"q_proj", queries}, Part{"k_proj", keys}, Part{"v_proj", keys}});
    if (parameter.name.find("gate_up_proj") != std::string::npos)
      return rows(parameter, "gate_up_proj", std::array{Part{"gate_proj", inner}, Part{"up_proj", inner}});
    if (parameter.kind == ParameterKind::router && config.family == Family::mixtral && !fused_experts)
      return whole(parameter, fmt::format("model.layers.{}.block_sparse_moe.gate.weight", parameter.layer));
    whole(parameter, parameter.name);
  }
};

std::vector<HuggingFaceTensor> cut_all(const ModelConfig& config, bool fused_experts) {
  Cutter cutter{config, fused_experts, {}};
  for (const Parameter& parameter : parameters(config)) cutter.cut(parameter);
  return std::move(cutter.tensors);
}

}  // namespace

std::vector<HuggingFaceTensor> hugging_face_tensors(const ModelConfig& config) {
  return cut_all(config, false);
}

std::vector<HuggingFaceTensor> fused_hugging_face_tensors(const ModelConfig& config) {
  return cut_all(config, true);
}

}  // namespace pleat::model
