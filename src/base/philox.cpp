// SPDX-License-Identifier: Apache-2.0
// Philox4x32-10 and the streams over it.
#include "base/philox.h"

#include <cmath>
#include <numbers>

namespace pleat::base {
namespace {

uint64_t fnv1a(uint64_t hash, std::string_view bytes) {
  for (unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001b3u;
  return hash;
}

/// The finaliser of splitmix64: spreads the few bits in which two names or seeds differ over the whole key.
uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

constexpr double kUnit = 0x1p-53;

}  // namespace

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const uint64_t product0 = uint64_t{kPhiloxMultiplier0} * counter[0];
    const uint64_t product1 = uint64_t{kPhiloxMultiplier1} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(product0)};
    key[0] += kPhiloxWeyl0;
    key[1] += kPhiloxWeyl1;
  }
  return counter;
}

static std::array<uint64_t, 2> block64(uint64_t index, uint64_t place, uint64_t key) {
  const auto words = philox4x32({static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32),
                                 static_cast<uint32_t>(place), static_cast<uint32_t>(place >> 32)},
                                {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)});
  return {words[0] | uint64_t{words[1]} << 32, words[2] | uint64_t{words[3]} << 32};
}

RandomStream::RandomStream(uint64_t seed, std::string_view name, std::string_view usage) {
  uint64_t hash = fnv1a(0xcbf29ce484222325u, name);
  hash = fnv1a(hash, std::string_view("\0", 1));  // ("ab", "c") and ("a", "bc") are different streams
  key_ = mix(fnv1a(hash, usage) ^ mix(seed + kPhiloxWeyl0));
}

uint64_t RandomStream::bits(uint64_t index, uint64_t place) const {
  return block64(index, place, key_)[0];
}

double RandomStream::uniform(uint64_t index, uint64_t place) const {
  return static_cast<double>(bits(index, place) >> 11) * kUnit;
}

std::array<double, 2> RandomStream::normal_pair(uint64_t pair, uint64_t place) const {
  const auto words = block64(pair, place, key_);
  // In (0, 1], so the logarithm is finite.
  const double radius_uniform = static_cast<double>((words[0] >> 11) + 1) * kUnit;
  const double angle = static_cast<double>(words[1] >> 11) * kUnit * 2.0 * std::numbers::pi;
  const double radius = std::sqrt(-2.0 * std::log(radius_uniform));
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

double RandomStream::normal(uint64_t index, uint64_t place) const {
  return normal_pair(index >> 1, place)[index & 1];
}

}  // namespace pleat::base
