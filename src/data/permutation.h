// SPDX-License-Identifier: Apache-2.0
// A keyed bijection on [0, n) with random access and no memory: a Feistel network over the next even number
// of bits, walked along its cycle until it falls below n (less than four steps on average). It replaces
// shuffle index files.
#pragma once
#include <cstdint>

namespace pleat::data {

class Permutation {
 public:
  /// n in [1, 2^62]. Different seeds and epochs give unrelated orders.
  Permutation(int64_t n, uint64_t seed, uint64_t epoch);
  int64_t operator()(int64_t i) const;

 private:
  static constexpr int kRounds = 8;
  uint64_t n_;
  int half_bits_;
  uint64_t keys_[kRounds];
};

/// One well mixed 64-bit number from another (the finaliser of SplitMix64).
uint64_t mix(uint64_t x);

}  // namespace pleat::data
