// SPDX-License-Identifier: Apache-2.0
// Loads, stores and functions on vectors of fp32, compiled once per instruction set (included inside
// foreach_target). A store of bf16 rounds to nearest even and keeps NaN; Highway's own conversion truncates.
#if defined(PLEAT_KERNELS_CPU_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PLEAT_KERNELS_CPU_SIMD_INL_H_
#undef PLEAT_KERNELS_CPU_SIMD_INL_H_
#else
#define PLEAT_KERNELS_CPU_SIMD_INL_H_
#endif

#include <hwy/highway.h>

#include <cstring>
#include <type_traits>

#include "base/dtype.h"

HWY_BEFORE_NAMESPACE();
namespace pleat::kernels::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using base::bf16;
using F = hn::ScalableTag<float>;
using V = hn::Vec<F>;
using U = hn::RebindToUnsigned<F>;
using H = hn::Rebind<uint16_t, F>;  // as many 16-bit lanes as a vector has floats
inline constexpr F kF{};
inline constexpr U kU{};
inline constexpr H kH{};
HWY_INLINE int64_t lanes() {
  return static_cast<int64_t>(hn::Lanes(kF));
}
HWY_INLINE V set(float x) {
  return hn::Set(kF, x);
}

/// The upper halves of fp32 patterns rounded to nearest even, in the low 16 bits of each lane.
HWY_INLINE hn::Vec<U> round_halves(V x) {
  const auto u = hn::BitCast(kU, x);
  const auto odd = hn::And(hn::ShiftRight<16>(u), hn::Set(kU, 1u));
  const auto rounded = hn::ShiftRight<16>(hn::Add(u, hn::Add(odd, hn::Set(kU, 0x7fffu))));
  const auto quiet = hn::Or(hn::ShiftRight<16>(u), hn::Set(kU, 0x40u));
  return hn::IfThenElse(hn::RebindMask(kU, hn::IsNaN(x)), quiet, rounded);
}

HWY_INLINE hn::Vec<H> to_halves(V x) {
  // Lanes are below 65536, so the saturating narrowing is exact.
  return hn::DemoteTo(kH, hn::BitCast(hn::RebindToSigned<F>(), round_halves(x)));
}

HWY_INLINE V load(const float* p) {
  return hn::LoadU(kF, p);
}
HWY_INLINE V load(const bf16* p) {
  const auto halves = hn::LoadU(kH, reinterpret_cast<const uint16_t*>(p));
  return hn::BitCast(kF, hn::ShiftLeft<16>(hn::PromoteTo(kU, halves)));
}
HWY_INLINE void store(V x, float* p) {
  hn::StoreU(x, kF, p);
}
HWY_INLINE void store(V x, bf16* p) {
  hn::StoreU(to_halves(x), kH, reinterpret_cast<uint16_t*>(p));
}

/// The first `count` elements, the other lanes zero.
template <class T>
HWY_INLINE V load_part(const T* p, int64_t count) {
  if (count >= lanes()) return load(p);
  T part[HWY_MAX_BYTES / sizeof(float)] = {};
  std::memcpy(part, p, static_cast<size_t>(count) * sizeof(T));
  return load(part);
}
template <class T>
HWY_INLINE void store_part(V x, T* p, int64_t count) {
  if (count >= lanes()) return store(x, p);
  T part[HWY_MAX_BYTES / sizeof(float)];
  store(x, part);
  std::memcpy(static_cast<void*>(p), part, static_cast<size_t>(count) * sizeof(T));
}

/// fp32 as it is after a store to T and a load.
template <class T>
HWY_INLINE V rounded_to(V x) {
  if constexpr (std::is_same_v<T, float>) return x;
  return hn::BitCast(kF, hn::ShiftLeft<16>(round_halves(x)));
}

HWY_INLINE float sum_lanes(V x) {
  return hn::GetLane(hn::SumOfLanes(kF, x));
}
HWY_INLINE float max_lanes(V x) {
  return hn::GetLane(hn::MaxOfLanes(kF, x));
}

/// e^x to about 2 ulp for -87.34 < x < 88.37, NaN for NaN; elsewhere anything.
HWY_INLINE V exp_in_range(V x) {
  // Adding 1.5 2^23 rounds to a whole number n and leaves it in the low bits; 127 more make it the exponent
  // of 2^n.
  const V shifter = set(12582912.0f + 127.0f);
  const V shifted = hn::MulAdd(x, set(1.44269504089f), shifter);
  const V n = hn::Sub(shifted, shifter);
  V r = hn::NegMulAdd(n, set(0.693145752f), x);
  r = hn::NegMulAdd(n, set(1.42860677e-6f), r);
  V p = set(1.37805939e-3f);
  p = hn::MulAdd(p, r, set(8.37312452e-3f));
  p = hn::MulAdd(p, r, set(4.16695364e-2f));
  p = hn::MulAdd(p, r, set(1.66664720e-1f));
  p = hn::MulAdd(p, r, set(4.99999851e-1f));
  p = hn::MulAdd(p, r, set(1.0f));
  p = hn::MulAdd(p, r, set(1.0f));
  return hn::Mul(p, hn::BitCast(kF, hn::ShiftLeft<23>(hn::BitCast(kU, shifted))));
}

/// e^x for x <= 0 (a rounding error above is harmless): exactly 0 below -87.33, NaN for NaN.
HWY_INLINE V exp_negative(V x) {
  const V p = exp_in_range(hn::Max(set(-87.33f), x));  // x86 returns the second operand when one is NaN
  return hn::IfThenZeroElse(hn::Lt(x, set(-87.33f)), p);
}

/// e^x everywhere: exactly 0 below -87.33, no more than e^88.37 above, NaN for NaN.
HWY_INLINE V exp(V x) {
  return exp_negative(hn::Min(set(88.37f), x));
}

/// 1 / x to about 1 ulp for normal x whose reciprocal is normal; a vector division costs several times as
/// much.
HWY_INLINE V reciprocal(V x) {
  V r = hn::ApproximateReciprocal(x);  // 14 bits with AVX-512, 12 with AVX2
  if constexpr (HWY_TARGET != HWY_AVX3) r = hn::MulAdd(hn::NegMulAdd(x, r, set(1.0f)), r, r);
  return hn::MulAdd(hn::NegMulAdd(x, r, set(1.0f)), r, r);
}

/// 1 / (1 + e^-x); below -87 about 1e-38 instead of less. NaN for NaN.
HWY_INLINE V sigmoid(V x) {
  const V kept = hn::Min(set(87.0f), hn::Max(set(-87.0f), hn::Neg(x)));
  return reciprocal(hn::Add(set(1.0f), exp_in_range(kept)));
}

/// Four words of each of several rows that lie four apart, one row a block of 128 bits.
HWY_INLINE auto words_of_rows(const std::byte* from, int64_t from_bytes) {
  const hn::CappedTag<uint32_t, 4> d;
  const auto row = [&](int64_t r) {
    return hn::LoadU(d, reinterpret_cast<const uint32_t*>(from + r * from_bytes));
  };
#if HWY_TARGET == HWY_AVX3
  const hn::Half<decltype(kU)> half;
  return hn::Combine(kU, hn::Combine(half, row(12), row(8)), hn::Combine(half, row(4), row(0)));
#else
  return hn::Combine(kU, row(4), row(0));
#endif
}

/// Within each block of 128 bits: result i holds word i of the four.
template <class D, class Words, class Put>
HWY_INLINE void transpose_blocks(D d, Words r0, Words r1, Words r2, Words r3, Put put) {
  const hn::RepartitionToWide<D> wide;
  const auto low01 = hn::BitCast(wide, hn::InterleaveLower(d, r0, r1));
  const auto low23 = hn::BitCast(wide, hn::InterleaveLower(d, r2, r3));
  const auto high01 = hn::BitCast(wide, hn::InterleaveUpper(d, r0, r1));
  const auto high23 = hn::BitCast(wide, hn::InterleaveUpper(d, r2, r3));
  put(0, hn::BitCast(d, hn::InterleaveLower(wide, low01, low23)));
  put(1, hn::BitCast(d, hn::InterleaveUpper(wide, low01, low23)));
  put(2, hn::BitCast(d, hn::InterleaveLower(wide, high01, high23)));
  put(3, hn::BitCast(d, hn::InterleaveUpper(wide, high01, high23)));
}

/// to[c][r] = from[r][c]; rows and columns are multiples of 4.
HWY_INLINE void transpose_words(const std::byte* from, int64_t from_bytes, int64_t rows, int64_t columns,
                                uint32_t* to, int64_t to_words) {
  const hn::CappedTag<uint32_t, 4> d;
  int64_t r = 0;
  for (; r + lanes() <= rows; r += lanes())
    for (int64_t c = 0; c < columns; c += 4) {
      const std::byte* at = from + r * from_bytes + c * 4;
      const auto row = [&](int64_t i) { return words_of_rows(at + i * from_bytes, from_bytes); };
      transpose_blocks(kU, row(0), row(1), row(2), row(3),
                       [&](int64_t i, auto words) { hn::StoreU(words, kU, to + (c + i) * to_words + r); });
    }
  for (; r < rows; r += 4)
    for (int64_t c = 0; c < columns; c += 4) {
      const std::byte* at = from + r * from_bytes + c * 4;
      const auto row = [&](int64_t i) {
        return hn::LoadU(d, reinterpret_cast<const uint32_t*>(at + i * from_bytes));
      };
      transpose_blocks(d, row(0), row(1), row(2), row(3),
                       [&](int64_t i, auto words) { hn::StoreU(words, d, to + (c + i) * to_words + r); });
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace pleat::kernels::cpu
HWY_AFTER_NAMESPACE();

#endif
