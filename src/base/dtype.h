// SPDX-License-Identifier: Apache-2.0
// Element types, and the one bf16 rounding of the project: to nearest even, NaN kept (quieted).
// Here and not in tensor/ because the pure half speaks of dtypes too.
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "base/errors.h"

namespace pleat::base {

enum class DType : uint8_t { f32, bf16, f64, i32, i64 };

constexpr int64_t size_of(DType dtype) {
  switch (dtype) {
    case DType::bf16:
      return 2;
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::f64:
    case DType::i64:
      return 8;
  }
  return 0;
}

constexpr bool is_floating(DType dtype) {
  return dtype != DType::i32 && dtype != DType::i64;
}

inline constexpr std::array<std::string_view, 5> kDTypeNames{"f32", "bf16", "f64", "i32", "i64"};

constexpr std::string_view name_of(DType dtype) {
  return kDTypeNames[static_cast<size_t>(dtype)];
}

inline DType dtype_named(std::string_view name) {
  for (size_t i = 0; i < kDTypeNames.size(); ++i)
    if (kDTypeNames[i] == name) return static_cast<DType>(i);
  fail<JobError>("unknown dtype '{}': choose f32, bf16, f64, i32 or i64", name);
}

/// Storage of a bf16 number: the upper half of an fp32.
struct bf16 {
  uint16_t bits = 0;
  bf16() = default;
  explicit bf16(float x) : bits(round_bits(std::bit_cast<uint32_t>(x))) {}
  explicit operator float() const { return std::bit_cast<float>(uint32_t{bits} << 16); }

  /// Upper half of an fp32 pattern rounded to nearest even; a NaN stays a NaN.
  static constexpr uint16_t round_bits(uint32_t u) {
    if ((u & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((u >> 16) | 0x40u);
    return static_cast<uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
  }
};

}  // namespace pleat::base
