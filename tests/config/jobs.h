// SPDX-License-Identifier: Apache-2.0
// Small jobs that are legal, for tests to break or vary.
#pragma once
#include <gtest/gtest.h>

#include <string>

#include "base/errors.h"
#include "config/job.h"

namespace pleat::config {

inline const std::string kLlamaJob = R"(run:
  directory: runs/small
train:
  steps: 100
  global_batch: 8
  micro_batch: 2
  sequence: 64
model:
  family: llama
  vocab_size: 256
  hidden_size: 64
  intermediate_size: 128
  num_hidden_layers: 2
  num_attention_heads: 4
)";

inline const std::string kQwenMoeJob = R"(train: {steps: 100, global_batch: 8, micro_batch: 2, sequence: 64}
layout: {dp: 2, ep: 2}
model:
  family: qwen3_moe
  vocab_size: 256
  hidden_size: 64
  num_hidden_layers: 4
  num_attention_heads: 4
  num_key_value_heads: 2
  head_dim: 24
  num_experts: 8
  num_experts_per_tok: 2
  moe_intermediate_size: 48
)";

/// The message of the JobError that `act` must throw.
template <class Act>
std::string job_error(const Act& act) {
  try {
    act();
  } catch (const base::JobError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no JobError";
  return {};
}

inline std::string error_of(const std::string& text, std::vector<std::string> overrides = {}) {
  return job_error([&] { parse_job(text, "job.yaml", overrides); });
}

inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

}  // namespace pleat::config
