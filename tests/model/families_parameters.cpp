// SPDX-License-Identifier: Apache-2.0
// Stored parameters, their Hugging Face slices, and initial values that no layout can change.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "base/errors.h"
#include "base/philox.h"
#include "model/families/parameters.h"

namespace pleat::model {
namespace {

using base::Shape;
using config::Family;
using config::ModelConfig;

ModelConfig tiny(Family family) {
  ModelConfig config = config::class_defaults(family);
  config.vocab_size = 32;
  config.hidden_size = 12;
  config.intermediate_size = 20;
  config.num_hidden_layers = 12;  // "layers.10" sorts before "layers.2"
  config.num_attention_heads = 4;
  config.num_key_value_heads = 2;
  config.head_dim = 6;
  if (config.num_experts > 0) config.num_experts = 3, config.num_experts_per_tok = 2;
  config.moe_intermediate_size = family == Family::qwen3_moe ? 10 : 0;
  if (family == Family::qwen3_moe) config.mlp_only_layers = {1};
  if (family == Family::llama) config.attention_bias = config.mlp_bias = true;
  if (family == Family::qwen3) config.tie_word_embeddings = config.attention_bias = true;
  return config;
}
constexpr std::array kFamilies{Family::llama, Family::mixtral, Family::qwen3, Family::qwen3_moe};

TEST(Parameters, AreSortedAndAsManyAsCounted) {
  for (Family family : kFamilies) {
    const ModelConfig config = tiny(family);
    const std::vector<Parameter> list = parameters(config);
    EXPECT_TRUE(std::is_sorted(list.begin(), list.end(), [](auto& a, auto& b) { return a.name < b.name; }));
    int64_t total = 0;
    for (const Parameter& parameter : list) {
      total += parameter.shape.elements();
      EXPECT_EQ(parameter_named(config, parameter.name), parameter);
      const bool matrix = parameter.shape.dims() >= 2;
      EXPECT_EQ(parameter.weight_decay, matrix) << parameter.name;
      EXPECT_EQ(parameter.initialisation == Initialisation::normal, matrix) << parameter.name;
    }
    EXPECT_EQ(total, config::parameter_counts(config).total);
    EXPECT_THROW(parameter_named(config, "nothing"), base::CheckError);
  }
}

TEST(Parameters, OfALayer) {
  const ModelConfig config = tiny(Family::qwen3_moe);
  std::map<std::string, Shape> sparse, dense;
  for (const Parameter& p : layer_parameters(config, 0)) {
    sparse[p.name] = p.shape;
    EXPECT_EQ(p.layer, 0);
  }
  for (const Parameter& p : layer_parameters(config, 1)) dense[p.name] = p.shape;
  EXPECT_EQ(sparse.at("model.layers.0.self_attn.qkv_proj.weight"), (Shape{48, 12}));
  EXPECT_EQ(sparse.at("model.layers.0.self_attn.o_proj.weight"), (Shape{12, 24}));
  EXPECT_EQ(sparse.at("model.layers.0.self_attn.k_norm.weight"), (Shape{6}));
  EXPECT_EQ(sparse.at("model.layers.0.mlp.gate.weight"), (Shape{3, 12}));
  EXPECT_EQ(sparse.at("model.layers.0.mlp.experts.gate_up_proj"), (Shape{3, 20, 12}));
  EXPECT_EQ(sparse.at("model.layers.0.mlp.experts.down_proj"), (Shape{3, 12, 10}));
  EXPECT_EQ(dense.at("model.layers.1.mlp.gate_up_proj.weight"), (Shape{40, 12}));
  EXPECT_EQ(sparse.size(), 9u);
  EXPECT_EQ(dense.size(), 8u);
}

TEST(HuggingFaceTensors, TileEveryParameterOnce) {
  for (Family family : kFamilies)
    for (bool fused : {false, true}) {
      const ModelConfig config = tiny(family);
      std::map<std::string, std::vector<int>> covered;
      for (const Parameter& parameter : parameters(config))
        covered[parameter.name].resize(static_cast<size_t>(parameter.shape.elements()));
      std::set<std::string> names;
      for (const HuggingFaceTensor& tensor :
           fused ? fused_hugging_face_tensors(config) : hugging_face_tensors(config)) {
        EXPECT_TRUE(names.insert(tensor.name).second) << tensor.name;
        EXPECT_EQ(tensor.shape.elements(), tensor.extent.elements());
        const Shape whole = parameter_named(config, tensor.parameter).shape;
        const int64_t row = whole.row_elements(), inner = row / (whole.dims() > 1 ? whole[1] : 1);
        for (int64_t i = 0; i < tensor.extent[0]; ++i) {  // only dims 0 and 1 are ever cut
          const int64_t first =
              (tensor.begin[0] + i) * row + (whole.dims() > 1 ? tensor.begin[1] * inner : 0);
          for (int64_t j = 0; j < tensor.extent.row_elements(); ++j)
            ++covered.at(tensor.parameter).at(static_cast<size_t>(first + j));
        }
      }
      for (const auto& [name, counts] : covered)
        EXPECT_TRUE(std::all_of(counts.begin(), counts.end(), [](int n) { return n == 1; })) << name;
    }
}

TEST(HuggingFaceTensors, HaveTheHubsNames) {
  const auto named = [](Family family, std::string_view name, bool fused = false) {
    for (const HuggingFaceTensor& tensor :
         fused ? fused_hugging_face_tensors(tiny(family)) : hugging_face_tensors(tiny(family)))
      if (tensor.name == name) return tensor;
    ADD_FAILURE() << "no " << name;
    return HuggingFaceTensor{};
  };
  const auto k = named(Family::llama, "model.layers.3.self_attn.k_proj.weight");
  EXPECT_EQ(k, (HuggingFaceTensor{
                   k.name, {12, 12}, "model.layers.3.self_attn.qkv_proj.weight", {24, 0}, {12, 12}}));
  const auto bias = named(Family::qwen3, "model.layers.0.self_attn.v_proj.bias");
  EXPECT_EQ(bias, (HuggingFaceTensor{bias.name, {12}, "model.layers.0.self_attn.qkv_proj.bias", {36}, {12}}));
  const auto up = named(Family::mixtral, "model.layers.2.block_sparse_moe.experts.1.w3.weight");
  EXPECT_EQ(up, (HuggingFaceTensor{
                    up.name, {20, 12}, "model.layers.2.mlp.experts.gate_up_proj", {1, 20, 0}, {1, 20, 12}}));
  const auto down = named(Family::qwen3_moe, "model.layers.2.mlp.experts.2.down_proj.weight");
  EXPECT_EQ(down, (HuggingFaceTensor{
                      down.name, {12, 10}, "model.layers.2.mlp.experts.down_proj", {2, 0, 0}, {1, 12, 10}}));
  named(Family::mixtral, "model.layers.0.block_sparse_moe.gate.weight");
  named(Family::mixtral, "model.layers.0.mlp.gate.weight", true);
  named(Family::mixtral, "model.layers.0.mlp.experts.gate_up_proj", true);
  named(Family::qwen3_moe, "model.layers.1.mlp.gate_proj.weight");
  named(Family::llama, "model.layers.1.mlp.up_proj.bias");
  named(Family::llama, "lm_head.weight");
  const auto tied = hugging_face_tensors(tiny(Family::qwen3));
  EXPECT_TRUE(
      std::none_of(tied.begin(), tied.end(), [](auto& tensor) { return tensor.name == "lm_head.weight"; }));
}

std::vector<float> values(const ModelConfig& config, std::string_view name, Shape begin, Shape extent,
                          uint64_t seed = 5) {
  std::vector<float> result(static_cast<size_t>(extent.elements()));
  initial_values(config, name, begin, extent, seed, result);
  return result;
}

TEST(InitialValues, OfASliceAreThoseOfTheWhole) {
  const ModelConfig config = tiny(Family::qwen3_moe);
  const std::string name = "model.layers.0.mlp.experts.down_proj";  // 3 x 12 x 10
  const std::vector<float> whole = values(config, name, {0, 0, 0}, {3, 12, 10});
  const std::vector<std::pair<Shape, Shape>> kSlices{{{1, 0, 0}, {2, 12, 10}}, {{0, 3, 0}, {3, 5, 10}},
                                                     {{1, 3, 3}, {2, 4, 5}},   {{2, 11, 9}, {1, 1, 1}},
                                                     {{0, 0, 1}, {3, 12, 3}},  {{1, 1, 1}, {0, 2, 2}}};
  for (const auto& [begin, extent] : kSlices) {
    const std::vector<float> slice = values(config, name, begin, extent);
    size_t next = 0;
    for (int64_t e = 0; e < extent[0]; ++e)
      for (int64_t d = 0; d < extent[1]; ++d)
        for (int64_t f = 0; f < extent[2]; ++f)
          ASSERT_EQ(slice[next++],
                    whole[static_cast<size_t>(((begin[0] + e) * 12 + begin[1] + d) * 10 + begin[2] + f)]);
  }
  EXPECT_THROW(values(config, name, {1, 0, 0}, {3, 12, 10}), base::CheckError);
  EXPECT_THROW(values(config, name, {0, 0}, {12, 10}), base::CheckError);
}

TEST(InitialValues, AreTheStreamOfSeedAndName) {
  const ModelConfig config = tiny(Family::llama);
  const std::vector<float> matrix = values(config, "lm_head.weight", {0, 0}, {32, 12});
  const base::RandomStream stream(5, "lm_head.weight", "initial value");
  for (uint64_t i = 0; i < matrix.size(); ++i)
    ASSERT_EQ(matrix[i], static_cast<float>(0.02 * stream.normal(i)));
  EXPECT_NE(matrix, values(config, "lm_head.weight", {0, 0}, {32, 12}, 6)) << "another seed";
  EXPECT_NE(matrix, values(config, "model.embed_tokens.weight", {0, 0}, {32, 12})) << "another name";
  EXPECT_EQ(values(config, "model.norm.weight", {2}, {3}), (std::vector<float>{1, 1, 1}));
  EXPECT_EQ(values(config, "model.layers.0.self_attn.o_proj.bias", {0}, {2}), (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace pleat::model
