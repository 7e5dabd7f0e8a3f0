// SPDX-License-Identifier: Apache-2.0
// Which layers have experts and windows, and the published parameter counts.
#include "config/model_config.h"

#include <gtest/gtest.h>

namespace pleat::config {
namespace {

ModelConfig published(Family family, int64_t layers, int64_t hidden, int64_t heads, int64_t kv, int64_t inner,
                      int64_t vocab) {
  ModelConfig config = class_defaults(family);
  config.num_hidden_layers = layers;
  config.hidden_size = hidden;
  config.num_attention_heads = heads;
  config.num_key_value_heads = kv;
  config.head_dim = 128;
  config.intermediate_size = inner;
  config.vocab_size = vocab;
  return config;
}

TEST(ModelConfig, CountsParametersAsPublished) {
  EXPECT_EQ(parameter_counts(published(Family::llama, 32, 4096, 32, 8, 14336, 128256)).total, 8030261248);
  EXPECT_EQ(parameter_counts(published(Family::llama, 126, 16384, 128, 8, 53248, 128256)).total,
            405853388800);
  ModelConfig small = published(Family::llama, 16, 2048, 32, 8, 8192, 128256);
  small.head_dim = 64;
  small.tie_word_embeddings = true;
  EXPECT_EQ(parameter_counts(small).total, 1235814400);

  const ParameterCounts mixtral = parameter_counts(published(Family::mixtral, 32, 4096, 32, 8, 14336, 32000));
  EXPECT_EQ(mixtral.total, 46702792704);
  EXPECT_NEAR(static_cast<double>(mixtral.active), 12.880e9, 0.5e6);
  const ParameterCounts qwen = parameter_counts(published(Family::qwen3_moe, 48, 2048, 32, 4, 6144, 151936));
  EXPECT_EQ(qwen.total, 30532122624);
  EXPECT_NEAR(static_cast<double>(qwen.active), 3.353e9, 0.5e6);
}

TEST(ModelConfig, ExpertsAreWhereTheFamilyHasThem) {
  ModelConfig config = class_defaults(Family::qwen3_moe);
  config.num_hidden_layers = 6;
  config.decoder_sparse_step = 2;
  config.mlp_only_layers = {3};
  std::vector<bool> moe;
  for (int64_t layer = 0; layer < 6; ++layer) moe.push_back(config.is_moe(layer));
  EXPECT_EQ(moe, (std::vector<bool>{false, true, false, false, false, true}));
  EXPECT_EQ(config.num_moe_layers(), 2);
  config.num_experts = 0;
  EXPECT_EQ(config.num_moe_layers(), 0);
  EXPECT_EQ(class_defaults(Family::mixtral).num_moe_layers(), 32);
  EXPECT_EQ(class_defaults(Family::llama).num_moe_layers(), 0);
}

TEST(ModelConfig, WindowsAreWhereTheFamilyHasThem) {
  ModelConfig config = class_defaults(Family::qwen3);
  config.num_hidden_layers = 4;
  config.max_window_layers = 2;
  config.sliding_window = 8;
  EXPECT_EQ(config.window(3), 0) << "not without use_sliding_window";
  config.use_sliding_window = true;
  EXPECT_EQ(config.window(1), 0);
  EXPECT_EQ(config.window(2), 8);
  config.layer_types = {"sliding_attention", "full_attention", "full_attention", "full_attention"};
  EXPECT_EQ(config.window(0), 8);
  EXPECT_EQ(config.window(3), 0);
  config.family = Family::qwen3_moe;
  EXPECT_EQ(config.window(3), 8) << "on every layer";
  ModelConfig mixtral = class_defaults(Family::mixtral);
  mixtral.sliding_window = 16;
  EXPECT_EQ(mixtral.window(0), 16);
}

}  // namespace
}  // namespace pleat::config
