// SPDX-License-Identifier: Apache-2.0
// e^x and the sigmoid on vectors of fp32 (simd-inl.h). Highway's own exp costs twice as much.
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

struct Whole {
  V count, power;
};

/// Adding 1.5 2^23 to a number rounds it to a whole number, which is then in the low bits; 127 more make
/// these the exponent of a power of two.
inline constexpr float kShifter = 12582912.0f + 127.0f;
inline constexpr float kLogE = 1.44269504089f;  // of base 2

/// n = x log2 e rounded, and 2^(n - lower) where `shifter` is kShifter - lower: 0 for n - lower = -127,
/// infinity for 128, anything beyond those.
HWY_INLINE Whole whole_powers(V x, V shifter) {
  const V shifted = hn::MulAdd(x, set(kLogE), shifter);
  return {hn::Sub(shifted, shifter), hn::BitCast(kF, hn::ShiftLeft<23>(hn::BitCast(kU, shifted)))};
}

/// 1 + b r + r^2 ((c2 + c3 r) + r^2 (c4 + c5 r)): a third fewer steps one after the other than by Horner, and
/// these are what a loop waits for.
HWY_INLINE V polynomial(V r, V b, V c2, V c3, V c4, V c5) {
  const V square = hn::Mul(r, r);
  const V low = hn::MulAdd(b, r, set(1.0f)), middle = hn::MulAdd(c3, r, c2), high = hn::MulAdd(c5, r, c4);
  return hn::MulAdd(hn::MulAdd(high, square, middle), square, low);
}

/// e^x for -88 <= x <= 88.7, within 2 ulp where -87.33 < x < 88.37; NaN for NaN.
/// The polynomial is within 1.05e-7 of e^r (0.9 ulp; fitted with its first two coefficients 1, so that e^0 is
/// 1); ln 2 is taken in two parts, the first of few bits, so that the rest is exact.
HWY_INLINE Scaled exp_parts(V x) {
  const Whole n = whole_powers(x, set(kShifter));
  V r = hn::NegMulAdd(n.count, set(0.693145752f), x);
  r = hn::NegMulAdd(n.count, set(1.42860677e-6f), r);
  return {
      polynomial(r, set(1.0f), set(4.999923e-1f), set(1.6667114e-1f), set(4.189016e-2f), set(8.312521e-3f)),
      n.power};
}

/// How many vectors add_exponentials takes: as many as the registers hold.
inline constexpr int kTogether = HWY_MAX_BYTES == 64 ? 8 : 4;

/// sum += e^x 2^-k for a whole k, `shifter` being kShifter - k, where -127 <= x log2 e - k <= 127. The
/// relative error of a term is 1.4e-7 + |x| 2^-26: for log(sum), which is about the highest x, that is below
/// rounding. So one part of ln 2 serves, a reference costs no subtraction, and the power goes into the
/// addition. One vector would wait four cycles for each step, so all take a step in turn.
HWY_INLINE void add_exponentials(V (&x)[kTogether], V shifter, V (&sum)[kTogether]) {
  V p[kTogether], power[kTogether];
  for (int j = 0; j < kTogether; ++j) {
    const Whole n = whole_powers(x[j], shifter);
    power[j] = n.power;
    x[j] = hn::MulSub(x[j], set(kLogE), n.count);
  }
  for (int j = 0; j < kTogether; ++j) p[j] = hn::MulAdd(set(1.3264713e-3f), x[j], set(9.671523e-3f));
  for (const float coefficient : {5.550734e-2f, 2.4022242e-1f, 6.93147e-1f, 1.0f})
    for (int j = 0; j < kTogether; ++j) p[j] = hn::MulAdd(p[j], x[j], set(coefficient));
  for (int j = 0; j < kTogether; ++j) sum[j] = hn::MulAdd(p[j], power[j], sum[j]);
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

/// 1 / (1 + e^-x) before its last Newton step: the sigmoid is rough + rough * error, and so is each product
/// with it. Below -87 about 1e-38 instead of less. NaN for NaN.
struct Sigmoid {
  V rough, error;
  HWY_INLINE V times(V x) const {
    const V y = hn::Mul(x, rough);
    return hn::MulAdd(y, error, y);
  }
};
HWY_INLINE Sigmoid sigmoid(V x) {
  const Scaled e = exp_parts(hn::Min(set(87.0f), hn::Max(set(-87.0f), hn::Neg(x))));
  const V below = hn::MulAdd(e.mantissa, e.power, set(1.0f));
  V r = hn::ApproximateReciprocal(below);  // 14 bits with AVX-512, 12 with AVX2; a division costs far more
  if constexpr (HWY_TARGET != HWY_AVX3) r = hn::MulAdd(hn::NegMulAdd(below, r, set(1.0f)), r, r);
  return {r, hn::NegMulAdd(below, r, set(1.0f))};
}

}  // namespace HWY_NAMESPACE
}  // namespace pleat::kernels::cpu
HWY_AFTER_NAMESPACE();

#endif
