// SPDX-License-Identifier: Apache-2.0
// FNV-1a over the name, then splitmix64's counter and finaliser.
#include "seeded.h"

namespace pleat::parity {
namespace {

constexpr uint64_t kFnvOffset = 0xcbf29ce484222325;
constexpr uint64_t kFnvPrime = 0x100000001b3;
constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;

uint64_t fnv1a(std::string_view name) {
  uint64_t hash = kFnvOffset;
  for (unsigned char byte : name) hash = (hash ^ byte) * kFnvPrime;
  return hash;
}

uint64_t finalise(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

double scaled(std::string_view name, double c) {
  if (name.find("norm") != std::string_view::npos && name.ends_with("weight")) return 1.0 + 0.1 * c;
  return (name.ends_with("bias") ? 0.1 : 0.2) * c;
}

}  // namespace

uint64_t seeded_word(std::string_view name, uint64_t i) {
  return finalise(fnv1a(name) + (i + 1) * kGolden);
}

std::vector<float> seeded_weight(std::string_view name, int64_t elements) {
  const uint64_t hash = fnv1a(name);
  std::vector<float> values(static_cast<size_t>(elements));
  for (size_t i = 0; i < values.size(); ++i) {
    const double u = static_cast<double>(finalise(hash + (i + 1) * kGolden) >> 11) * 0x1p-53;
    values[i] = static_cast<float>(scaled(name, 2.0 * u - 1.0));
  }
  return values;
}

std::vector<int64_t> seeded_token_ids(int64_t count, int64_t vocabulary) {
  std::vector<int64_t> ids(static_cast<size_t>(count));
  for (size_t i = 0; i < ids.size(); ++i)
    ids[i] = static_cast<int64_t>(seeded_word("input_ids", i) % static_cast<uint64_t>(vocabulary));
  return ids;
}

}  // namespace pleat::parity
