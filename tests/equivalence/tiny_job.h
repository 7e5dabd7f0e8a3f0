// SPDX-License-Identifier: Apache-2.0
// Jobs that train in milliseconds: four layers of odd sizes over a few hundred made-up tokens.
#pragma once
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "../checkpoint/temporary_folder.h"
#include "base/philox.h"
#include "config/job.h"
#include "data/tokens.h"

namespace pleat::testing {

inline constexpr int64_t kVocabulary = 61;
inline constexpr int64_t kSequence = 12;

enum class TinyModel { dense, tied, experts, balanced };  // balanced: experts whose auxiliary losses count

/// Documents of 5 to 40 tokens: one token follows another with some regularity, so that there is something to
/// learn.
inline void write_tokens(const std::filesystem::path& prefix, int64_t documents = 30, uint64_t seed = 3) {
  const base::RandomStream random(seed, "tokens", "test");
  data::TokenWriter writer(prefix, kVocabulary);
  uint64_t draw = 0;
  for (int64_t d = 0; d < documents; ++d) {
    std::vector<int32_t> tokens(5 + random.bits(draw++) % 36);
    int32_t token = static_cast<int32_t>(random.bits(draw++) % kVocabulary);
    for (int32_t& t : tokens) {
      t = token;
      token = static_cast<int32_t>((7 * token + random.bits(draw++) % 4) % kVocabulary);
    }
    writer.add_document(tokens);
  }
  writer.commit();
}

inline std::string tiny_job_text(TinyModel model) {
  const bool experts = model == TinyModel::experts || model == TinyModel::balanced;
  std::string text = fmt::format(R"(train:
  steps: 10
  global_batch: 8
  sequence: {}
  seed: 7
optimizer:
  learning_rate: 0.01
  eps: 0.001
  clip: 0.5
  warmup_steps: 2
model:
  family: {}
  vocab_size: {}
  hidden_size: 24
  num_hidden_layers: 4
  num_attention_heads: 4
  num_key_value_heads: 2
  head_dim: 6
  max_position_embeddings: 12
  initializer_range: 0.2
)",
                                 kSequence, experts ? "qwen3_moe" : "llama", kVocabulary);
  if (!experts) text += "  intermediate_size: 34\n";
  if (model == TinyModel::tied) text += "  tie_word_embeddings: true\n";
  if (experts)
    text +=
        "  num_experts: 4\n  num_experts_per_tok: 2\n  moe_intermediate_size: 14\n  norm_topk_prob: true\n";
  if (model == TinyModel::balanced)
    text += "  output_router_logits: true\n  router_aux_loss_coef: 0.05\n  router_z_loss_coef: 0.01\n";
  return text;
}

/// `overrides`: "layout.dp=2", "train.global_batch=4", ...
inline config::Job tiny_job(TinyModel model, const std::filesystem::path& tokens,
                            std::vector<std::string> overrides = {}) {
  overrides.push_back("data.train=" + tokens.string());
  return config::parse_job(tiny_job_text(model), "tiny", overrides);
}

}  // namespace pleat::testing
