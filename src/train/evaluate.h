// SPDX-License-Identifier: Apache-2.0
// `pleat evaluate`: the mean cross entropy of a model over a token file, every token counted once.
#pragma once
#include <filesystem>
#include <string>

#include "config/job.h"
#include "train/host.h"

namespace pleat::train {

struct EvaluateOptions {
  std::filesystem::path model;
  std::filesystem::path data;  // prefix of .bin/.idx
  int64_t sequence = 0;        // tokens of a window; 0: as window_of() chooses
  config::Precision precision = config::Precision::bf16;
};

struct Evaluation {
  double loss = 0;      // nats per counted token
  int64_t counted = 0;  // tokens that were predicted
  int64_t tokens = 0;   // tokens of the file; those that are nobody's target cost log2(vocabulary) bits each
  double bits_per_token = 0;  // over all tokens of the file
  bool bytes = false;         // a token is a byte
};

Evaluation evaluate(const EvaluateOptions& options, const Host& host);

/// One line: "547,123 tokens, 1.3400 nats each of the 547,122 that were predicted, 1.9340 bits per byte".
std::string to_text(const Evaluation& evaluation);

}  // namespace pleat::train
