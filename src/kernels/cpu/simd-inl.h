// SPDX-License-Identifier: Apache-2.0
// Loads, stores and functions on vectors of fp32, compiled once per instruction set (included inside foreach_target).
// A store of bf16 rounds to nearest even and keeps NaN; Highway's own conversion truncates.
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
HWY_INLINE int64_t lanes() { return static_cast<int64_t>(hn::Lanes(kF)); }
HWY_INLINE V set(float x) { return hn::Set(kF, x); }

/// The upper halves of fp32 patterns rounded to nearest even, in the low 16 bits of each lane.
HWY_INLINE hn::Vec<U> round_halves(V x) {
  const auto u = hn::BitCast(kU, x);
  const auto odd = hn::And(hn::ShiftRight<16>(u), hn::Set(kU, 1u));
  const auto rounded = hn::ShiftRight<16>(hn::Add(u, hn::Add(odd, hn::Set(kU, 0x7fffu))));
  const auto quiet = hn::Or(hn::ShiftRight<16>(u), hn::Set(kU, 0x40u));
  return hn::IfThenElse(hn::RebindMask(kU, hn::Ne(x, x)), quiet, rounded);
}

HWY_INLINE hn::Vec<H> to_halves(V x) {
  // Lanes are below 65536, so the saturating narrowing is exact.
  return hn::DemoteTo(kH, hn::BitCast(hn::RebindToSigned<F>(), round_halves(x)));
}

HWY_INLINE V load(const float* p) { return hn::LoadU(kF, p); }
HWY_INLINE V load(const bf16* p) {
  const auto halves = hn::LoadU(kH, reinterpret_cast<const uint16_t*>(p));
  return hn::BitCast(kF, hn::ShiftLeft<16>(hn::PromoteTo(kU, halves)));
}
HWY_INLINE void store(V x, float* p) { hn::StoreU(x, kF, p); }
HWY_INLINE void store(V x, bf16* p) { hn::StoreU(to_halves(x), kH, reinterpret_cast<uint16_t*>(p)); }

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

HWY_INLINE float sum_lanes(V x) { return hn::GetLane(hn::SumOfLanes(kF, x)); }
HWY_INLINE float max_lanes(V x) { return hn::GetLane(hn::MaxOfLanes(kF, x)); }

/// e^x to about 2 ulp; 0 below -87.3 (also for -inf), +inf above 88.72, NaN for NaN.
HWY_INLINE V exp(V x) {
  const hn::RebindToSigned<F> di;
  const V clamped = hn::Min(hn::Max(x, set(-87.33f)), set(88.7f));
  const V n = hn::Round(hn::Mul(clamped, set(1.44269504089f)));
  V r = hn::NegMulAdd(n, set(0.693145752f), clamped);
  r = hn::NegMulAdd(n, set(1.42860677e-6f), r);
  V p = set(1.37805939e-3f);
  p = hn::MulAdd(p, r, set(8.37312452e-3f));
  p = hn::MulAdd(p, r, set(4.16695364e-2f));
  p = hn::MulAdd(p, r, set(1.66664720e-1f));
  p = hn::MulAdd(p, r, set(4.99999851e-1f));
  p = hn::MulAdd(p, r, set(1.0f));
  p = hn::MulAdd(p, r, set(1.0f));
  // 2^n in two factors: n can be 128, which no single fp32 exponent holds.
  const auto whole = hn::ConvertTo(di, n);
  const auto half = hn::ShiftRight<1>(whole);
  const auto one = hn::Set(di, 127);
  const V a = hn::BitCast(kF, hn::ShiftLeft<23>(hn::Add(half, one)));
  const V b = hn::BitCast(kF, hn::ShiftLeft<23>(hn::Add(hn::Sub(whole, half), one)));
  p = hn::Mul(hn::Mul(p, a), b);
  p = hn::IfThenZeroElse(hn::Lt(x, set(-87.33f)), p);
  p = hn::IfThenElse(hn::Gt(x, set(88.72f)), hn::Inf(kF), p);
  return hn::IfThenElse(hn::Ne(x, x), x, p);
}

/// e^x for x <= 0: as exp, without the care for large and NaN arguments.
HWY_INLINE V exp_negative(V x) {
  const hn::RebindToSigned<F> di;
  const V clamped = hn::Max(x, set(-87.33f));
  const V n = hn::Round(hn::Mul(clamped, set(1.44269504089f)));
  V r = hn::NegMulAdd(n, set(0.693145752f), clamped);
  r = hn::NegMulAdd(n, set(1.42860677e-6f), r);
  V p = set(1.37805939e-3f);
  p = hn::MulAdd(p, r, set(8.37312452e-3f));
  p = hn::MulAdd(p, r, set(4.16695364e-2f));
  p = hn::MulAdd(p, r, set(1.66664720e-1f));
  p = hn::MulAdd(p, r, set(4.99999851e-1f));
  p = hn::MulAdd(p, r, set(1.0f));
  p = hn::MulAdd(p, r, set(1.0f));
  const auto power = hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(di, n), hn::Set(di, 127)));
  return hn::IfThenZeroElse(hn::Lt(x, set(-87.33f)), hn::Mul(p, hn::BitCast(kF, power)));
}

HWY_INLINE V sigmoid(V x) { return hn::Div(set(1.0f), hn::Add(set(1.0f), exp(hn::Neg(x)))); }

}  // namespace HWY_NAMESPACE
}  // namespace pleat::kernels::cpu
HWY_AFTER_NAMESPACE();

#endif
