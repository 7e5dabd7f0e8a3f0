// SPDX-License-Identifier: Apache-2.0
// Windows over the concatenated documents, and what each token of one is told about documents.
#include "data/sampler.h"

#include <algorithm>

#include "base/errors.h"
#include "data/permutation.h"

namespace pleat::data {
namespace {

using base::CheckError;
using base::DataError;
using base::fail;

void check_view(const SampleView& view, int64_t sequence) {
  const auto size = static_cast<size_t>(sequence);
  if (view.tokens.size() != size || view.targets.size() != size || view.positions.size() != size ||
      view.documents.size() != size || view.weights.size() != size)
    fail<CheckError>("a sample of sequence {} needs five spans of that size", sequence);
}

/// Positions, documents and weights of the `count` tokens from `start` on, whose targets exist in the file.
void describe(const TokenFile& file, const SampleOptions& options, int64_t start, int64_t count,
              const SampleView& into) {
  int64_t document = options.separate_documents ? file.document_of(start) : 0;
  int64_t end = options.separate_documents ? file.document_begin(document + 1) : file.tokens();
  int32_t local = 0, position = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (start + i == end) {
      while (start + i == end) end = file.document_begin(++document + 1);  // documents may be empty
      ++local;
      position = 0;
    }
    const auto at = static_cast<size_t>(i);
    into.positions[at] = position++;
    into.documents[at] = local;
    into.weights[at] = start + i + 1 < end ? 1.0f : 0.0f;
  }
}

int64_t positive(int64_t sequence) {
  if (sequence < 1) fail<base::JobError>("a sequence of {} tokens: choose 1 or more", sequence);
  return sequence;
}

}  // namespace

Sample::Sample(int64_t sequence)
    : tokens(static_cast<size_t>(sequence)),
      targets(tokens.size()),
      positions(tokens.size()),
      documents(tokens.size()),
      weights(tokens.size()) {}

SampleView Sample::view() {
  return {tokens, targets, positions, documents, weights};
}

SampleView Sample::view(int64_t first, int64_t count) {
  const auto part = [&](auto& values) {
    return std::span(values).subspan(static_cast<size_t>(first), static_cast<size_t>(count));
  };
  return {part(tokens), part(targets), part(positions), part(documents), part(weights)};
}

Sampler::Sampler(const TokenFile& file, const SampleOptions& options)
    : file_(&file), options_(options), samples_((file.tokens() - 1) / positive(options.sequence)) {
  if (samples_ < 1)
    fail<DataError>("{}: {} tokens; a sample of sequence {} needs {}", file.prefix().string(), file.tokens(),
                    options.sequence, options.sequence + 1);
}

int64_t Sampler::start_of(int64_t i) const {
  if (i < 0) fail<CheckError>("sample {}", i);
  const auto epoch = static_cast<uint64_t>(i / samples_);
  // What the windows leave over at the end is moved, a different part of it each epoch, to the front.
  const auto slack = static_cast<uint64_t>(file_->tokens() - 1 - samples_ * options_.sequence);
  const auto shift = static_cast<int64_t>(mix(mix(options_.seed) + epoch) % (slack + 1));
  return shift + Permutation(samples_, options_.seed, epoch)(i % samples_) * options_.sequence;
}

void Sampler::sample(int64_t i, const SampleView& into) const {
  check_view(into, options_.sequence);
  const int64_t start = start_of(i);
  file_->read(start, into.tokens);
  file_->read(start + 1, into.targets);
  describe(*file_, options_, start, options_.sequence, into);
}

EvaluationWindows::EvaluationWindows(const TokenFile& file, const SampleOptions& options)
    : file_(&file),
      options_(options),
      windows_((file.tokens() - 1 + positive(options.sequence) - 1) / options.sequence),
      counted_(file.tokens() - 1) {
  if (windows_ < 1) fail<DataError>("{}: one token alone cannot be evaluated", file.prefix().string());
  if (!options.separate_documents) return;
  counted_ = 0;
  for (int64_t d = 0; d < file.documents(); ++d)
    counted_ += std::max<int64_t>(0, file.document_begin(d + 1) - file.document_begin(d) - 1);
}

void EvaluationWindows::window(int64_t i, const SampleView& into) const {
  check_view(into, options_.sequence);
  if (i < 0 || i >= windows_) fail<CheckError>("evaluation window {} of {}", i, windows_);
  const int64_t start = i * options_.sequence;
  const int64_t count = std::min(options_.sequence, file_->tokens() - 1 - start);
  const auto filled = static_cast<size_t>(count);
  file_->read(start, into.tokens.first(filled));
  file_->read(start + 1, into.targets.first(filled));
  describe(*file_, options_, start, count, into);
  std::ranges::fill(into.tokens.subspan(filled), 0);
  std::ranges::fill(into.targets.subspan(filled), 0);
  std::ranges::fill(into.weights.subspan(filled), 0.0f);
  // Padding is a document of its own: no real token sees it, and it sees no real token.
  const int32_t padding = into.documents[filled - 1] + 1;
  for (size_t at = filled; at < into.tokens.size(); ++at) {
    into.positions[at] = static_cast<int32_t>(at - filled);
    into.documents[at] = padding;
  }
}

}  // namespace pleat::data
