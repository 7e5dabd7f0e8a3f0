// SPDX-License-Identifier: Apache-2.0
// Feistel rounds are bijections whatever the round function, so the order is a permutation by construction.
#include "data/permutation.h"

#include <bit>

#include "base/errors.h"

namespace pleat::data {

uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

Permutation::Permutation(int64_t n, uint64_t seed, uint64_t epoch)
    : n_(static_cast<uint64_t>(n)), half_bits_(1) {
  if (n < 1 || n > (int64_t{1} << 62)) base::fail<base::CheckError>("a permutation of {} elements", n);
  half_bits_ = (std::bit_width(n_ - 1) + 1) / 2;
  if (half_bits_ == 0) half_bits_ = 1;
  constexpr uint64_t kGolden = 0x9e3779b97f4a7c15u;
  uint64_t state = mix(mix(seed + kGolden) ^ (epoch + kGolden));
  for (uint64_t& key : keys_) key = mix(state += kGolden);
}

int64_t Permutation::operator()(int64_t i) const {
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  auto x = static_cast<uint64_t>(i);
  if (i < 0 || x >= n_) base::fail<base::CheckError>("element {} of a permutation of {}", i, n_);
  do {
    uint64_t left = x >> half_bits_, right = x & mask;
    for (uint64_t key : keys_) {
      const uint64_t next = left ^ (mix(right ^ key) & mask);
      left = right;
      right = next;
    }
    x = (left << half_bits_) | right;
  } while (x >= n_);
  return static_cast<int64_t>(x);
}

}  // namespace pleat::data
