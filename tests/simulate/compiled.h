// SPDX-License-Identifier: Apache-2.0
// A small expert model on four ranks, compiled: every kind of instruction of a training step.
#pragma once
#include "compile/compile.h"
#include "kernels/catalogue.h"

namespace pleat::simulate {

inline program::Program expert_program() {
  compile::Request request;
  config::ModelConfig& m = request.model;
  m = config::class_defaults(config::Family::qwen3_moe);
  m.vocab_size = 64, m.hidden_size = 16, m.intermediate_size = 24, m.num_hidden_layers = 4;
  m.num_attention_heads = 4, m.num_key_value_heads = 2, m.head_dim = 8;
  m.num_experts = 8, m.num_experts_per_tok = 2, m.moe_intermediate_size = 12, m.norm_topk_prob = true;
  m.output_router_logits = true, m.router_aux_loss_coef = 0.01, m.router_z_loss_coef = 0.001;
  layout::Degrees degrees;
  degrees.dp = degrees.pp = degrees.ep = 2;
  request.layout = layout::Layout(degrees);
  request.micro_batch = 2, request.sequence = 4, request.micro_batches = 4;
  request.catalogue = kernels::reference_catalogue();
  return compile::compile(request);
}

}  // namespace pleat::simulate
