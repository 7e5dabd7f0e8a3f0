// SPDX-License-Identifier: Apache-2.0
// config.json in the forms that transformers 4 and 5 write it, and what must be refused.
#include <gtest/gtest.h>

#include <cmath>

#include "base/errors.h"
#include "model/families/hugging_face_config.h"

namespace pleat::model {
namespace {

using config::Family;
using config::ModelConfig;
using config::RopeType;

std::string file(std::string_view fields) {
  return R"({"model_type": "llama", "vocab_size": 256, "hidden_size": 64, "intermediate_size": 128,
             "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 256)" +
         std::string(fields.empty() ? "" : ", ") + std::string(fields) + "}";
}
std::string of_family(std::string_view family, std::string_view fields) {
  return R"({"model_type": ")" + std::string(family) + R"(", "num_hidden_layers": 4)" +
         std::string(fields.empty() ? "" : ", ") + std::string(fields) + "}";
}
ModelConfig parse(const std::string& text) {
  return parse_hugging_face_config(text, "config.json");
}

std::string error_of(const std::string& text) {
  try {
    parse(text);
  } catch (const base::JobError& error) {
    return error.what();
  } catch (const base::DataError& error) {
    return error.what();
  }
  ADD_FAILURE() << "accepted: " << text;
  return {};
}

TEST(HuggingFaceConfig, SilentFieldsAreTheClassDefaults) {
  const ModelConfig llama = parse(file(""));
  EXPECT_EQ(llama.num_key_value_heads, 4);
  EXPECT_EQ(llama.head_dim, 16);
  EXPECT_EQ(llama.rms_norm_eps, 1e-6);
  EXPECT_EQ(llama.rope, config::Rope{});

  const ModelConfig mixtral = parse(of_family("mixtral", ""));
  EXPECT_EQ(mixtral.num_experts, 8);
  EXPECT_EQ(mixtral.rope.theta, 1e6);
  EXPECT_EQ(mixtral.window(0), 0);
  EXPECT_TRUE(mixtral.norm_topk_prob);
  const ModelConfig qwen = parse(of_family("qwen3", ""));
  EXPECT_EQ(qwen.head_dim, 128);
  const ModelConfig moe = parse(of_family("qwen3_moe", ""));
  EXPECT_EQ(moe.head_dim, 64) << "hidden_size / num_attention_heads: this class has no head_dim";
  EXPECT_EQ(moe.num_experts, 128);
  EXPECT_FALSE(moe.norm_topk_prob);
}

TEST(HuggingFaceConfig, NullsMeanWhatTheClassMakesOfThem) {
  EXPECT_EQ(parse(file(R"("head_dim": null, "num_key_value_heads": null, "rope_scaling": null)")).head_dim,
            16);
  EXPECT_EQ(parse(of_family("mixtral", R"("num_key_value_heads": null)")).num_key_value_heads, 32);
  EXPECT_EQ(parse(of_family("mixtral", R"("sliding_window": null)")).window(0), 0);
  EXPECT_EQ(parse(of_family("qwen3_moe", R"("mlp_only_layers": null)")).num_moe_layers(), 4);
}

TEST(HuggingFaceConfig, BothFormsOfRopeAreTheSame) {
  const char* parameters =
      R"("rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                              "original_max_position_embeddings": 32)";
  const auto v4 = parse(file(R"("rope_theta": 500000.0, "rope_scaling": {)" + std::string(parameters) + "}"));
  const auto v5 =
      parse(file(R"("rope_parameters": {"rope_theta": 500000, )" + std::string(parameters) + "}"));
  const auto both = parse(file(R"("rope_theta": 500000.0, "rope_scaling": {)" + std::string(parameters) +
                               R"(}, "rope_parameters": {"rope_theta": 500000.0, )" + parameters + "}"));
  EXPECT_EQ(v4.rope.type, RopeType::llama3);
  EXPECT_EQ(v4.rope.theta, 5e5);
  EXPECT_EQ(v4.rope.original_max_position_embeddings, 32);
  EXPECT_EQ(v4, v5);
  EXPECT_EQ(v4, both);
  EXPECT_EQ(parse(file(R"("rope_scaling": {"type": "linear", "factor": 2})")).rope.factor, 2.0)
      << "the oldest form";
}

TEST(HuggingFaceConfig, YarnIsResolved) {
  const auto rope = [](std::string_view more) {
    return parse(file(R"("rope_parameters": {"rope_type": "yarn", "rope_theta": 10000.0)" +
                      std::string(more) + "}"))
        .rope;
  };
  EXPECT_EQ(rope(R"(, "factor": 4.0, "original_max_position_embeddings": 16)").attention_factor,
            0.1 * std::log(4.0) + 1.0);
  EXPECT_EQ(rope(R"(, "factor": 4.0, "mscale": 1.0, "mscale_all_dim": 1.0)").attention_factor, 1.0);
  EXPECT_EQ(rope(R"(, "factor": 4.0, "mscale": 0.707, "mscale_all_dim": null)").attention_factor,
            0.1 * std::log(4.0) + 1.0);
  EXPECT_DOUBLE_EQ(rope(R"(, "factor": 40, "mscale": 2, "mscale_all_dim": 0.5)").attention_factor,
                   (0.2 * std::log(40.0) + 1.0) / (0.05 * std::log(40.0) + 1.0));
  EXPECT_EQ(rope(R"(, "factor": 4.0, "attention_factor": 1.5, "truncate": false, "beta_fast": 16)")
                .attention_factor,
            1.5);
  const config::Rope ratio = rope(R"(, "factor": null, "original_max_position_embeddings": 64)");
  EXPECT_EQ(ratio.factor, 4.0) << "max_position_embeddings / original_max_position_embeddings";
  EXPECT_EQ(rope(R"(, "factor": 2)").original_max_position_embeddings, 256);
}

TEST(HuggingFaceConfig, WindowsFollowTheirSwitch) {
  const std::string layers =
      R"("layer_types": ["full_attention", "sliding_attention", "full_attention", "full_attention"])";
  const ModelConfig off = parse(of_family("qwen3", R"("sliding_window": 4096)"));
  EXPECT_EQ(off.window(3), 0);
  const ModelConfig on =
      parse(of_family("qwen3", R"("use_sliding_window": true, "sliding_window": 8, "max_window_layers": 1)"));
  EXPECT_EQ(on.window(0), 0);
  EXPECT_EQ(on.window(1), 8);
  const ModelConfig typed = parse(of_family("qwen3", R"("use_sliding_window": true, )" + layers));
  EXPECT_EQ(typed.window(1), 4096) << "the class default";
  EXPECT_EQ(typed.window(2), 0);
  EXPECT_EQ(parse(of_family("qwen3_moe", R"("use_sliding_window": true, "sliding_window": 8)")).window(0), 8);
  EXPECT_EQ(parse(of_family("mixtral", R"("sliding_window": 8)")).window(3), 8);
  EXPECT_NE(error_of(of_family("qwen3", layers)).find("use_sliding_window"), std::string::npos);
}

TEST(HuggingFaceConfig, RefusesByName) {
  const std::vector<std::pair<std::string, const char*>> kCases{
      {R"({"model_type": "gpt2"})",
       "model_type 'gpt2' is not supported: llama, mixtral, qwen3, qwen3_moe are"},
      {"{}", "model_type is missing"},
      {"[1]", "not a JSON object"},
      {"{", "not a JSON object"},
      {R"({"model_type": 3})", "model_type is missing"},
      {file(R"("hidden_act": "gelu")"), "hidden_act \"gelu\""},
      {file(R"("attention_dropout": 0.1)"), "attention_dropout 0.1"},
      {file(R"("partial_rotary_factor": 0.5)"), "partial_rotary_factor 0.5"},
      {file(R"("rope_parameters": {"partial_rotary_factor": 0.5})"), "partial_rotary_factor 0.5"},
      {file(R"("rope_scaling": {"type": "dynamic", "factor": 2})"),
       "'dynamic' is not computed: default, linear, llama3, yarn"},
      {file(R"("rope_parameters": {"rope_type": "longrope"})"), "'longrope'"},
      {file(R"("rope_parameters": {"full_attention": {}})"), "by layer type"},
      {file(R"("rope_parameters": 3)"), "expected an object"},
      {file(R"("rope_parameters": {"rope_type": 3})"), "not readable"},
      {file(R"("rope_scaling": {"rope_type": "linear"})"), "rope_parameters has no factor"},
      {file(R"("rope_scaling": {"rope_type": "llama3", "factor": 2})"), "has no low_freq_factor"},
      {file(R"("rope_scaling": {"type": "linear", "rope_type": "yarn", "factor": 2})"), "differ"},
      {file(R"("rope_theta": 1e6, "rope_parameters": {"rope_theta": 1e4})"), "differ: keep one"},
      {file(
           R"("rope_scaling": {"rope_type": "linear", "factor": 2}, "rope_parameters": {"rope_type": "default"})"),
       "differ"},
      {file(R"("quantization_config": {"quant_method": "fp8"})"), "quantization_config"},
      {file(R"("rms_norm_eps": "small")"), "rms_norm_eps is \"small\", expected a number"},
      {file(R"("num_key_value_heads": 2.0)"), "expected an integer"},
      {file(R"("head_dim": 18446744073709551615)"), "expected an integer"},
      {file(R"("tie_word_embeddings": 1)"), "expected true or false"},
      {file(R"("num_key_value_heads": 3)"),
       "config.json: num_key_value_heads 3 does not divide num_attention_heads 4"},
      {file(R"("head_dim": 15)"), "must be even"},
      {file(R"("num_key_value_heads": 0)"), "at least 1"},
      {of_family("mixtral", R"("router_jitter_noise": 0.01)"), "router_jitter_noise"},
      {of_family("mixtral", R"("num_local_experts": 4, "num_experts": 8)"), "differ"},
      {of_family("qwen3_moe", R"("num_experts_per_tok": 129)"), "more than the 128 experts"},
      {of_family("qwen3_moe", R"("mlp_only_layers": [7])"), "7 is no layer"},
      {of_family("qwen3_moe", R"("mlp_only_layers": ["a"])"), "a list of integers"},
      {of_family("qwen3", R"("layer_types": ["full_attention"])"), "1 entries for 4 layers"},
  };
  for (const auto& [text, words] : kCases) {
    const std::string message = error_of(text);
    EXPECT_NE(message.find(words), std::string::npos) << words << "\nin: " << message;
    EXPECT_EQ(message.rfind("config.json: ", 0), 0u) << message;
  }
  EXPECT_THROW(read_hugging_face_config("/nonexistent"), base::DataError);
}

TEST(HuggingFaceConfig, WhatIsWrittenReadsBack) {
  const std::vector<std::string> kFiles{
      file(R"("tie_word_embeddings": true, "attention_bias": true, "mlp_bias": true, "rms_norm_eps": 1e-05)"),
      file(
          R"("rope_theta": 500000.0, "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
              "high_freq_factor": 4.0, "original_max_position_embeddings": 32})"),
      file(
          R"("rope_parameters": {"rope_type": "yarn", "factor": 3.3, "original_max_position_embeddings": 16, "truncate": false})"),
      of_family("mixtral",
                R"("sliding_window": 8, "output_router_logits": true, "router_aux_loss_coef": 0.02)"),
      of_family("qwen3", R"("use_sliding_window": true, "sliding_window": 8, "max_window_layers": 1)"),
      of_family("qwen3", R"("use_sliding_window": true, "layer_types":
                ["full_attention", "sliding_attention", "full_attention", "full_attention"])"),
      of_family(
          "qwen3_moe",
          R"("num_local_experts": 8, "num_experts_per_tok": 3, "mlp_only_layers": [1], "decoder_sparse_step": 2,
                "norm_topk_prob": true, "router_z_loss_coef": 0.001, "head_dim": 24)"),
  };
  for (const std::string& text : kFiles) {
    const ModelConfig model = parse(text);
    const std::string again = hugging_face_config(model, "float32");
    EXPECT_EQ(parse(again), model) << again;
    EXPECT_NE(again.find("ForCausalLM"), std::string::npos);
  }
}

}  // namespace
}  // namespace pleat::model
