// SPDX-License-Identifier: Apache-2.0
// Every block of the model, and the model whole, against central differences in f64: each parameter and the
// activations that come in. Here a block that shares a value twice, or reads the wrong one, shows.
#include <gtest/gtest.h>

#include <random>

#include "../graph/differences.h"
#include "model/blocks.h"

namespace pleat::model {
namespace {

using base::DType;
using config::Family;
using config::ModelConfig;
using graph::Graph;
using graph::Source;
using graph::ValueId;
using graph::testing::Inputs;
using graph::testing::Tensor;

constexpr int64_t kSamples = 3, kSequence = 3;

/// Odd sizes, but for the head dim.
ModelConfig tiny(Family family) {
  ModelConfig config = config::class_defaults(family);
  config.vocab_size = 11;
  config.hidden_size = 7;
  config.intermediate_size = 5;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 3;
  config.num_key_value_heads = 1;
  config.head_dim = 4;
  config.rms_norm_eps = 0.01;
  config.max_position_embeddings = kSequence;
  if (config.num_experts > 0) config.num_experts = 5, config.num_experts_per_tok = 3;
  if (family == Family::qwen3_moe) config.moe_intermediate_size = 3;
  return config;
}

ChunkRequest request_of(const ModelConfig& config) {
  return {.config = config,
          .layout = {},
          .chunk = base::Chunk(0),
          .activation = DType::f64,
          .exact = DType::f64,
          .micro_batch = kSamples,
          .sequence = kSequence};
}

double integer(const std::string& name, int64_t n, const ModelConfig& config) {
  if (name == "positions") return static_cast<double>(n % kSequence);
  if (name == "documents") return n % kSequence < 2 ? 0 : 1;
  return static_cast<double>((n * (name == "tokens" ? 3 : 5) + 1) % config.vocab_size);
}

/// Numbers for every input and parameter of the graph.
Inputs inputs_of(const Graph& graph, const ModelConfig& config) {
  Inputs inputs;
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  for (const graph::Value& value : graph.values) {
    if (value.source == Source::computed) continue;
    Tensor t{value.type.dtype, value.type.shape, {}};
    for (int64_t n = 0; n < t.shape.elements(); ++n) {
      if (t.dtype == DType::i32)
        t.values.push_back(integer(value.name, n, config));
      else if (t.dtype == DType::f32)
        t.values.push_back(n % 4 == 0 ? 0 : 0.5);  // loss weights
      else
        t.values.push_back(normal(random));
    }
    inputs[value.name] = {t};
  }
  return inputs;
}

/// One block alone; the sums of a router are outputs like its result.
void expect_gradient_of(const ModelConfig& config, ValueId (*block)(const Site&, ValueId, RouterSums&)) {
  const ChunkRequest request = request_of(config);
  graph::Builder b(request.layout, DType::f64, DType::f64);
  const auto ids = [&](const char* name) { return b.input(name, {DType::i32, {request.tokens()}, {}}); };
  const ValueId x = b.input("x", {DType::f64, {request.tokens(), config.hidden_size}, {}});
  const ValueId positions = ids("positions"), documents = ids("documents");
  const ValueId table = b.input("table", {DType::f64, {kSequence, config.head_dim}, {}});
  RouterSums sums;
  b.output("y", block({b, request, positions, documents, table}, x, sums));
  std::vector<graph::Seed> seeds{{"y", "dy"}};
  if (sums.sums.valid()) {
    b.output("sums", sums.sums), b.output("squares", sums.squares);
    seeds.push_back({"sums", "dsums", 0.5}), seeds.push_back({"squares", "dsquares", 0.25});
  }
  const Graph graph = b.take();
  expect_central_differences(graph, seeds, {"x"}, inputs_of(graph, config));
}

ValueId attention(const Site& site, ValueId x, RouterSums&) {
  return attention_block(site, x, 0);
}
ValueId mlp(const Site& site, ValueId x, RouterSums&) {
  return mlp_block(site, x, 0);
}
ValueId experts(const Site& site, ValueId x, RouterSums& sums) {
  return moe_block(site, x, 0, sums);
}
ValueId head(const Site& site, ValueId x, RouterSums&) {
  return head_block(site, x);
}

TEST(BlockGradient, AttentionWithBiases) {
  ModelConfig config = tiny(Family::llama);
  config.attention_bias = true;
  expect_gradient_of(config, attention);
}

TEST(BlockGradient, AttentionWithNormsOfQueryAndKeyAndAWindow) {
  ModelConfig config = tiny(Family::qwen3_moe);
  config.use_sliding_window = true;
  config.sliding_window = 2;
  expect_gradient_of(config, attention);
}

TEST(BlockGradient, Mlp) {
  ModelConfig config = tiny(Family::llama);
  expect_gradient_of(config, mlp);
  config.mlp_bias = true;
  expect_gradient_of(config, mlp);
}

TEST(BlockGradient, ExpertsWithAndWithoutRenormalisation) {
  ModelConfig config = tiny(Family::qwen3_moe);
  for (bool renormalise : {false, true}) {
    config.norm_topk_prob = renormalise;
    expect_gradient_of(config, experts);
  }
}

TEST(BlockGradient, HeadOfItsOwnAndTied) {
  ModelConfig config = tiny(Family::llama);
  for (bool tied : {false, true}) {
    config.tie_word_embeddings = tied;
    expect_gradient_of(config, head);
  }
}

class ModelGradient : public ::testing::TestWithParam<Family> {};

TEST_P(ModelGradient, OfLossAndAuxiliaryLosses) {
  ModelConfig config = tiny(GetParam());
  config.tie_word_embeddings = GetParam() == Family::qwen3;
  const Graph graph = build_chunk(request_of(config));
  std::vector<graph::Seed> seeds{{"loss", "dloss", 0.5}};
  if (config.num_moe_layers() > 0) {
    seeds.push_back({"balance_loss", "dbalance"});
    seeds.push_back({"z_loss", "dz"});
  }
  expect_central_differences(graph, seeds, {}, inputs_of(graph, config));
}

INSTANTIATE_TEST_SUITE_P(Families, ModelGradient,
                         ::testing::Values(Family::llama, Family::mixtral, Family::qwen3, Family::qwen3_moe),
                         [](const auto& which) { return std::string(config::name_of(which.param)); });

}  // namespace
}  // namespace pleat::model
