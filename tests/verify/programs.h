// SPDX-License-Identifier: Apache-2.0
// Small models, compiled: the Programs that tests of verify, of the text form and of the goldens are about.
#pragma once
#include <string>

#include "compile/compile.h"
#include "kernels/catalogue.h"

namespace pleat::verify {

inline config::ModelConfig dense_model(int64_t layers = 4, bool tied = false) {
  config::ModelConfig m = config::class_defaults(config::Family::qwen3);
  m.vocab_size = 64, m.hidden_size = 16, m.intermediate_size = 24, m.num_hidden_layers = layers;
  m.num_attention_heads = 4, m.num_key_value_heads = 2, m.head_dim = 8;
  m.tie_word_embeddings = tied;
  return m;
}

inline config::ModelConfig expert_model(int64_t layers = 4) {
  config::ModelConfig m = config::class_defaults(config::Family::qwen3_moe);
  m.vocab_size = 64, m.hidden_size = 16, m.intermediate_size = 24, m.num_hidden_layers = layers;
  m.num_attention_heads = 4, m.num_key_value_heads = 2, m.head_dim = 8;
  m.num_experts = 8, m.num_experts_per_tok = 2, m.moe_intermediate_size = 12, m.norm_topk_prob = true;
  m.output_router_logits = true, m.router_aux_loss_coef = 0.01, m.router_z_loss_coef = 0.001;
  return m;
}

/// micro_batches are per rank; eight tokens each.
inline compile::Request small_request(config::ModelConfig model, layout::Degrees degrees,
                                      int64_t micro_batches = 4,
                                      compile::Purpose purpose = compile::Purpose::train) {
  compile::Request r;
  r.purpose = purpose;
  r.model = std::move(model);
  r.layout = layout::Layout(degrees);
  r.micro_batch = 2, r.sequence = 4, r.micro_batches = micro_batches;
  r.catalogue = kernels::reference_catalogue();
  if (purpose == compile::Purpose::forward) r.emit = {"logits", "loss"};
  if (purpose == compile::Purpose::generate) r.emit = {"logits"};
  return r;
}

}  // namespace pleat::verify
