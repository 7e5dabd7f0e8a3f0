// SPDX-License-Identifier: Apache-2.0
// e^x, 1 / x and the sigmoid on vectors of fp32 (simd-inl.h). Highway's own exp costs twice as much.
#if defined(PLEAT_KERNELS_CPU_FUNCTIONS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PLEAT_KERNELS_CPU_FUNCTIONS_INL_H_
#undef PLEAT_KERNELS_CPU_FUNCTIONS_INL_H_
#else
#define PLEAT_KERNELS_CPU_FUNCTIONS_INL_H_
#endif

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pleat::kernels::cpu {
namespace HWY_NAMESPACE {

/// mantissa * power, power a power of two: a sum takes both in one fused multiply-add.
struct Scaled {
  V mantissa, power;
};

/// x divided by its unit into whole units and a rest of at most half of one.
struct Whole {
  V count, power;  // n, 2^n
};

/// n = x units rounded, |n| < 2^7. Adding 1.5 2^23 leaves n in the low bits; 127 more make it the exponent of
/// 2^n. n = -127 gives the power 0 and n = 128 infinity.
HWY_INLINE Whole whole_units(V x, V units) {
  const V shifter = set(12582912.0f + 127.0f);
  const V shifted = hn::MulAdd(x, units, shifter);
  return {hn::Sub(shifted, shifter), hn::BitCast(kF, hn::ShiftLeft<23>(hn::BitCast(kU, shifted)))};
}

inline constexpr float kLogE = 1.44269504089f;  // of base 2

/// e^x for -88 <= x <= 88.7, within 1.6 ulp where -87.33 < x < 88.37; NaN for NaN.
/// The polynomial is within 1.05e-7 of e^r (0.9 ulp; fitted with its first two coefficients 1, so that e^0 is
/// 1); ln 2 is taken in two parts, the first of few bits, so that the rest is exact.
HWY_INLINE Scaled exp_parts(V x) {
  const Whole n = whole_units(x, set(kLogE));
  V r = hn::NegMulAdd(n.count, set(0.693145752f), x);
  r = hn::NegMulAdd(n.count, set(1.42860677e-6f), r);
  V p = set(8.312521e-3f);
  p = hn::MulAdd(p, r, set(4.189016e-2f));
  p = hn::MulAdd(p, r, set(1.6667114e-1f));
  p = hn::MulAdd(p, r, set(4.999923e-1f));
  p = hn::MulAdd(p, r, set(1.0f));
  p = hn::MulAdd(p, r, set(1.0f));
  return {p, n.power};
}

/// e^x for -88 <= x <= 88.7 within (2 + |x| / 8) ulp, one step shorter: for sums, where what is far below the
/// highest counts little.
HWY_INLINE Scaled exp_parts_for_sum(V x) {
  const Whole n = whole_units(x, set(kLogE));
  const V r = hn::MulSub(x, set(kLogE), n.count);
  V p = set(1.3264713e-3f);
  p = hn::MulAdd(p, r, set(9.671523e-3f));
  p = hn::MulAdd(p, r, set(5.550734e-2f));
  p = hn::MulAdd(p, r, set(2.4022242e-1f));
  p = hn::MulAdd(p, r, set(6.93147e-1f));
  return {hn::MulAdd(p, r, set(1.0f)), n.power};
}

HWY_INLINE V exp_in_range(V x) {
  const Scaled e = exp_parts(x);
  return hn::Mul(e.mantissa, e.power);
}

/// e^x for x <= 88.7: exactly 0 from -87.69 down, NaN for NaN.
HWY_INLINE V exp_negative(V x) {
  return exp_in_range(hn::Max(set(-88.0f), x));  // x86 returns the second operand when one is NaN
}

/// e^x everywhere: exactly 0 from -87.69 down, infinity from 88.38 up, NaN for NaN.
HWY_INLINE V exp(V x) {
  return exp_negative(hn::Min(set(88.7f), x));
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

}  // namespace HWY_NAMESPACE
}  // namespace pleat::kernels::cpu
HWY_AFTER_NAMESPACE();

#endif
