// SPDX-License-Identifier: Apache-2.0
// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// 2011). A number is a pure function of a key (seed, logical name, usage) and a counter, so it depends on no
// layout, no thread and no call before it.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace pleat::base {

inline constexpr uint32_t kPhiloxMultiplier0 = 0xD2511F53u, kPhiloxMultiplier1 = 0xCD9E8D57u;
inline constexpr uint32_t kPhiloxWeyl0 = 0x9E3779B9u, kPhiloxWeyl1 = 0xBB67AE85u;
inline constexpr int kPhiloxRounds = 10;

/// One block: four 32-bit words from a 128-bit counter and a 64-bit key, least significant word first.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// The stream of (seed, name, usage): weights of one parameter, the shuffle of one epoch, ...
/// `index` counts elements, `place` whatever else the number depends on (step, sample); both are global
/// quantities.
class RandomStream {
 public:
  RandomStream(uint64_t seed, std::string_view name, std::string_view usage);
  explicit RandomStream(uint64_t key) : key_(key) {}

  uint64_t key() const { return key_; }
  uint64_t bits(uint64_t index, uint64_t place = 0) const;
  /// In [0, 1), a multiple of 2^-53.
  double uniform(uint64_t index, uint64_t place = 0) const;
  /// Standard normal by Box-Muller; elements 2i and 2i+1 share one block.
  double normal(uint64_t index, uint64_t place = 0) const;
  /// Both normals of elements 2i and 2i+1: half the work where a run of elements is wanted.
  std::array<double, 2> normal_pair(uint64_t pair, uint64_t place = 0) const;
  /// values[i] = deviation * normal(first + i), rounded once: many at a time, in every bit the same.
  void fill_normals(uint64_t first, double deviation, std::span<float> values) const;

 private:
  uint64_t key_;
};

}  // namespace pleat::base
