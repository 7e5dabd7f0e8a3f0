// SPDX-License-Identifier: Apache-2.0
// Weights and token ids that every side can rebuild from a name alone (tools/fixtures/seeded.py is the same
// in Python): a splitmix64 stream whose seed is the FNV-1a hash of the name.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace pleat::parity {

/// Word `i` of the stream of `name`.
uint64_t seeded_word(std::string_view name, uint64_t i);

/// Tensor `name`, row-major: weights in [-0.2, 0.2), biases in [-0.1, 0.1), the scales of norms in
/// [0.9, 1.1).
std::vector<float> seeded_weight(std::string_view name, int64_t elements);

/// The first `count` ids of a text over `vocabulary` tokens.
std::vector<int64_t> seeded_token_ids(int64_t count, int64_t vocabulary);

}  // namespace pleat::parity
