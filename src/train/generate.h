// SPDX-License-Identifier: Apache-2.0
// `pleat generate`: continues a text, a token at a time, with a Program compiled from the same blocks as
// training. Each token runs the whole window again (a cache comes later).
#pragma once
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

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
  int64_t window = 0;  // tokens; 0: as window_of() chooses
  config::Precision precision = config::Precision::fp32;
};

/// What generate chooses its first token from, for the proof that these are the numbers of forward() for the
/// prompt's last token.
std::vector<float> next_logits(const GenerateOptions& options, const Host& host);

/// Greedy at temperature 0; else the draw `uniform`, in [0, 1), among the most likely tokens that together
/// have probability top_p (Holtzman et al. 2020).
int32_t choose_token(std::span<const float> logits, const GenerateOptions& options, double uniform);

/// Calls `token` with each new byte; returns all of them.
std::string generate(const GenerateOptions& options, const Host& host,
                     const std::function<void(char)>& token);

}  // namespace pleat::train
