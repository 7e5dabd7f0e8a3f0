// SPDX-License-Identifier: Apache-2.0
// `pleat forward`: logits, loss and gradients of a Hugging Face folder for given tokens, under any layout.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "config/job.h"

namespace pleat::train {

struct ForwardOptions {
  std::filesystem::path model;
  config::LayoutSettings layout;
  config::Precision precision = config::Precision::fp32;
  bool gradients = false;
  bool reference_kernels = false;
  int cores = 1;
};

/// int64 ids [B,S], row-major.
struct TokenBatch {
  int64_t samples = 0, sequence = 0;
  std::vector<int64_t> ids;
};
/// `input_ids` of a safetensors file; DataError when it is not int64 [B,S].
TokenBatch read_tokens(const std::filesystem::path& path);

struct ForwardResult {
  std::vector<float> logits;       // [B,S,V]
  std::vector<double> token_loss;  // [B,S], of the next token; the last of each sample is 0
  double loss = 0;  // mean next-token cross entropy, plus the auxiliary terms the config asks for
  double cross_entropy = 0, balance_loss = 0, z_loss = 0;
  std::map<std::string, std::vector<float>> gradients;  // by Hugging Face name
};

/// One micro-batch of B/dp samples per data-parallel rank; JobError when dp does not divide B, DataError for
/// a token outside the vocabulary.
ForwardResult forward(const ForwardOptions& options, const TokenBatch& batch);

/// Writes logits, loss and grad.<name> as safetensors.
void write_forward(const std::filesystem::path& path, const ForwardOptions& options, const TokenBatch& batch,
                   const ForwardResult& result);

}  // namespace pleat::train
