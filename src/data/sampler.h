// SPDX-License-Identifier: Apache-2.0
// sample(i): which tokens are training sample i, as a pure function of (token file, sequence, seed, i). No
// index files, no state: to resume is to go on at i. And the windows in which held-back text is evaluated,
// each token once.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "data/tokens.h"

namespace pleat::data {

struct SampleOptions {
  int64_t sequence = 0;            // S
  uint64_t seed = 0;               // of the order; evaluation does not use it
  bool separate_documents = true;  // false: one document id, running positions, every target counts
};

/// The caller's memory for one sample, each span [S].
struct SampleView {
  std::span<int32_t> tokens;
  std::span<int32_t> targets;    // the next token
  std::span<int32_t> positions;  // restart with each document
  std::span<int32_t> documents;  // 0, 1, ... within the sample
  std::span<float> weights;      // 1, or 0 where the target belongs to another document or is padding
};

/// The same with its own memory.
struct Sample {
  explicit Sample(int64_t sequence);
  SampleView view();
  SampleView view(int64_t first, int64_t count);  // of these tokens
  std::vector<int32_t> tokens, targets, positions, documents;
  std::vector<float> weights;
};

class Sampler {
 public:
  /// Keeps a reference to the file. DataError when it has fewer than S + 1 tokens.
  Sampler(const TokenFile& file, const SampleOptions& options);
  int64_t samples_per_epoch() const { return samples_; }
  /// First token of sample i: windows of S + 1 tokens that start S apart, in an order of its own each epoch;
  /// where the first window of an epoch starts varies too, so that the rest of the file is seen and windows
  /// differ.
  int64_t start_of(int64_t i) const;
  /// Allocates nothing.
  void sample(int64_t i, const SampleView& into) const;

 private:
  const TokenFile* file_;
  SampleOptions options_;
  int64_t samples_;
};

/// Consecutive windows that cover a token file: every token but a document's first is a counted target
/// exactly once.
class EvaluationWindows {
 public:
  EvaluationWindows(const TokenFile& file, const SampleOptions& options);
  int64_t windows() const { return windows_; }
  /// Targets of weight 1 over all windows. tokens() - counted() tokens are nobody's target: the first of the
  /// file and, where documents are separated, of each document.
  int64_t counted() const { return counted_; }
  /// Window i, the last one padded with token 0, target 0, weight 0.
  void window(int64_t i, const SampleView& into) const;

 private:
  const TokenFile* file_;
  SampleOptions options_;
  int64_t windows_;
  int64_t counted_;
};

}  // namespace pleat::data
