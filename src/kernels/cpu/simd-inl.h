// SPDX-License-Identifier: Apache-2.0
// Loads and stores of vectors of fp32, compiled once per instruction set (included inside foreach_target).
// A store of bf16 rounds to nearest even and keeps NaN; Highway's own conversion truncates.
#if defined(PLEAT_KERNELS_CPU_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PLEAT_KERNELS_CPU_SIMD_INL_H_
#undef PLEAT_KERNELS_CPU_SIMD_INL_H_
#else
#define PLEAT_KERNELS_CPU_SIMD_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
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

/// fp32 patterns rounded to bf16 to nearest even, in the upper 16 bits of each lane; the lower are anything.
HWY_INLINE hn::Vec<U> round_upper(V x) {
  const auto u = hn::BitCast(kU, x);
  const auto odd = hn::And(hn::ShiftRight<16>(u), hn::Set(kU, 1u));
  const auto rounded = hn::Add(hn::Add(u, hn::Set(kU, 0x7fffu)), odd);
  const auto quiet = hn::Or(u, hn::Set(kU, 0x400000u));
  return hn::IfThenElse(hn::RebindMask(kU, hn::IsNaN(x)), quiet, rounded);
}

/// The same in the low 16 bits of each lane, the upper zero.
HWY_INLINE hn::Vec<U> round_halves(V x) {
  return hn::ShiftRight<16>(round_upper(x));
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

/// As many elements as two vectors hold. Of fp32 the first vector and the next; of bf16 the even elements and
/// the odd ones, because words come apart and together again without a shuffle, which is most of the cost of
/// a conversion. Elementwise work and sums don't mind, as long as all operands have one order.
struct Two {
  V a, b;
};
HWY_INLINE int64_t two_lanes() {
  return 2 * lanes();
}

HWY_INLINE Two load_two(const float* p) {
  return {load(p), load(p + lanes())};
}
HWY_INLINE Two load_two(const bf16* p) {
  const auto words = hn::LoadU(kU, reinterpret_cast<const uint32_t*>(p));
  return {hn::BitCast(kF, hn::ShiftLeft<16>(words)),
          hn::BitCast(kF, hn::And(words, hn::Set(kU, 0xffff0000u)))};
}
HWY_INLINE void store_two(Two x, float* p) {
  store(x.a, p);
  store(x.b, p + lanes());
}
HWY_INLINE void store_two(Two x, bf16* p) {
  const hn::Repartition<uint16_t, F> halves;
  const auto even = hn::BitCast(halves, round_halves(x.a)), odd = hn::BitCast(halves, round_upper(x.b));
  hn::StoreU(hn::OddEven(odd, even), halves, reinterpret_cast<uint16_t*>(p));
}

/// A line that a run of load_two or store_two reaches later; maybe beyond the end, so not a pointer into
/// anything, and good only to be asked for.
inline constexpr int64_t kLine = 64;
template <class T>
HWY_INLINE void* line_ahead(const T* p, int64_t line) {
  constexpr uintptr_t kAhead = 1024;
  return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(p) + kAhead +
                                 static_cast<uintptr_t>(line * kLine));
}
template <class T>
HWY_INLINE int64_t lines_of_two() {
  return std::max<int64_t>(1, two_lanes() * static_cast<int64_t>(sizeof(T)) / kLine);
}

/// Asks for the lines of a later load_two. The processor fetches ahead too, but it stops at pages, and
/// between two streams of one page it loses its way.
template <class T>
HWY_INLINE void ask_ahead(const T* p) {
  for (int64_t i = 0; i < lines_of_two<T>(); ++i) __builtin_prefetch(line_ahead(p, i));
}
/// The same for a later store: a store to a line not yet owned waits for memory, and the processor fetches
/// ahead for loads only.
template <class T>
HWY_INLINE void own_ahead(T* p) {
  for (int64_t i = 0; i < lines_of_two<T>(); ++i)
    asm volatile("prefetchw %a0" ::"p"(line_ahead(p, i)));  // the compiler's own needs a flag for it
}

/// load_two in the middle of a long run of them.
template <class T>
HWY_INLINE Two stream_two(const T* p) {
  ask_ahead(p);
  return load_two(p);
}
/// store_two in the middle of a long run of them.
template <class T>
HWY_INLINE void stream_two(Two x, T* p) {
  own_ahead(p);
  store_two(x, p);
}

/// fp32 numbers in the order in which load_two gives those of T.
template <class T>
HWY_INLINE Two load_two_as(const float* p) {
  const Two x = load_two(p);
  if constexpr (std::is_same_v<T, float>) return x;
  return {hn::ConcatEven(kF, x.b, x.a), hn::ConcatOdd(kF, x.b, x.a)};
}

/// The first `count` elements, the others zero.
template <class T>
HWY_INLINE Two load_two_part(const T* p, int64_t count) {
  T part[2 * HWY_MAX_BYTES / sizeof(float)] = {};
  std::memcpy(part, p, static_cast<size_t>(count) * sizeof(T));
  return load_two(part);
}
/// load_two_part in the order of T.
template <class T>
HWY_INLINE Two load_two_part_as(const float* p, int64_t count) {
  float part[2 * HWY_MAX_BYTES / sizeof(float)] = {};
  std::memcpy(part, p, static_cast<size_t>(count) * sizeof(float));
  return load_two_as<T>(part);
}
template <class T>
HWY_INLINE void store_two_part(Two x, T* p, int64_t count) {
  T part[2 * HWY_MAX_BYTES / sizeof(float)];
  store_two(x, part);
  std::memcpy(static_cast<void*>(p), part, static_cast<size_t>(count) * sizeof(T));
}

HWY_INLINE float sum_lanes(V x) {
  return hn::GetLane(hn::SumOfLanes(kF, x));
}
HWY_INLINE float max_lanes(V x) {
  return hn::GetLane(hn::MaxOfLanes(kF, x));
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
