// SPDX-License-Identifier: Apache-2.0
// `pleat generate`: continues a text, a token at a time, with a Program compiled from the same blocks as
// training. Each token runs the whole window again (a cache comes later).
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "config/job.h"
#include "train/host.h"

namespace pleat::train {

struct GenerateOptions {
  std::filesystem::path model;
  std::string prompt;  // bytes: the model's vocabulary must be 256
  int64_t tokens = 200;
  double temperature = 0;  // 0: greedy
  double top_p = 1;
  uint64_t seed = 1;
  int64_t window = 0;  // 0: min(max_position_embeddings, 256)
  config::Precision precision = config::Precision::fp32;
};

/// Calls `token` with each new byte; returns all of them.
std::string generate(const GenerateOptions& options, const Host& host,
                     const std::function<void(char)>& token);

}  // namespace pleat::train
