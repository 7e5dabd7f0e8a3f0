// SPDX-License-Identifier: Apache-2.0
// RandomStream::fill_normals: the floats that normal() gives, many times faster, from vectors of doubles.
//
// normal() asks the library for log, cos and sin. Here they are polynomials (the coefficients of fdlibm),
// within 2^-48 of those; where that much would change the float, which happens about once in a million
// elements, normal() itself is asked. So the two agree in every bit.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "base/normals.cpp"
#define HWY_BASELINE_TARGETS HWY_AVX2
#define HWY_DISABLED_TARGETS (HWY_SCALAR | HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
// after the targets
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include <numbers>

#include "base/philox.h"

HWY_BEFORE_NAMESPACE();
namespace pleat::base {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<double>;
using V = hn::Vec<D>;
using W = hn::RebindToUnsigned<D>;
using Words = hn::Vec<W>;
inline constexpr D kD{};
inline constexpr W kW{};

HWY_INLINE V set(double x) {
  return hn::Set(kD, x);
}
HWY_INLINE Words set_word(uint64_t x) {
  return hn::Set(kW, x);
}

struct Block {
  Words first, second;
};

/// philox4x32 of the counters (pair, 0); a word lies in the low half of a lane, the upper half is anything.
HWY_INLINE Block blocks(Words pair, uint64_t key) {
  const hn::Repartition<uint32_t, D> halves;
  const auto product = [&](Words x, uint32_t multiplier) HWY_ATTR {
    return hn::MulEven(hn::BitCast(halves, x), hn::Set(halves, multiplier));
  };
  Words c0 = pair, c1 = hn::ShiftRight<32>(pair), c2 = hn::Zero(kW), c3 = hn::Zero(kW);
  auto k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const Words p0 = product(c0, kPhiloxMultiplier0), p1 = product(c2, kPhiloxMultiplier1);
    c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), c1), set_word(k0));
    c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), c3), set_word(k1));
    c1 = p1;
    c3 = p0;
    k0 += kPhiloxWeyl0;
    k1 += kPhiloxWeyl1;
  }
  const Words low = set_word(0xffffffffu);
  return {hn::Or(hn::And(c0, low), hn::ShiftLeft<32>(c1)), hn::Or(hn::And(c2, low), hn::ShiftLeft<32>(c3))};
}

/// Exact for x <= 2^53.
HWY_INLINE V to_double(Words x) {
  const Words exponent = set_word(0x4330000000000000u);  // of 2^52: its last bit is worth 1
  const V high = hn::BitCast(kD, hn::Or(hn::ShiftRight<26>(x), exponent));
  const V low = hn::BitCast(kD, hn::Or(hn::And(x, set_word((1u << 26) - 1)), exponent));
  return hn::MulAdd(hn::Sub(high, set(0x1p52)), set(0x1p26), hn::Sub(low, set(0x1p52)));
}

template <size_t N>
HWY_INLINE V polynomial(V x, const double (&coefficients)[N]) {
  V sum = set(coefficients[N - 1]);
  for (size_t i = N - 1; i-- > 0;) sum = hn::MulAdd(sum, x, set(coefficients[i]));
  return sum;
}

/// log of a normal x: x = 2^k z, z in [0.7, 1.4), f = z - 1, log z = f - f^2/2 + s (f^2/2 + R), s = f/(2+f).
HWY_INLINE V log(V x) {
  constexpr double kR[] = {6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01,
                           2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01,
                           1.479819860511658591e-01};
  constexpr uint64_t kLowest = 0x3fe6a09e00000000u;  // of z: the root of a half
  const hn::RebindToSigned<D> whole;
  const Words bits = hn::BitCast(kW, x);
  const auto above = hn::BitCast(whole, hn::Sub(bits, set_word(kLowest)));
  const auto k = hn::ShiftRight<52>(above);
  const V z = hn::BitCast(kD, hn::Sub(bits, hn::BitCast(kW, hn::ShiftLeft<52>(k))));
  const auto shifter = hn::BitCast(whole, set(0x1.8p52));
  const V exponent = hn::Sub(hn::BitCast(kD, hn::Add(k, shifter)), set(0x1.8p52));
  const V f = hn::Sub(z, set(1)), s = hn::Div(f, hn::Add(f, set(2))), square = hn::Mul(s, s);
  const V half = hn::Mul(hn::Mul(f, f), set(0.5)), r = hn::Mul(square, polynomial(square, kR));
  const V low = hn::MulAdd(s, hn::Add(half, r), hn::Mul(exponent, set(1.90821492927058770002e-10)));
  const V high = hn::Mul(exponent, set(6.93147180369123816490e-01));
  return hn::Sub(high, hn::Sub(hn::Sub(half, low), f));
}

struct SinCos {
  V sin, cos;
};

/// For 0 <= x < 8: x = n pi/2 + r, pi/2 in two parts.
HWY_INLINE SinCos sin_cos(V x) {
  constexpr double kSin[] = {-1.66666666666666324348e-01, 8.33333333332248946124e-03,
                             -1.98412698298579493134e-04, 2.75573137070700676789e-06,
                             -2.50507602534068634195e-08, 1.58969099521155010221e-10};
  constexpr double kCos[] = {4.16666666666666019037e-02, -1.38888888888741095749e-03,
                             2.48015872894767294178e-05, -2.75573143513906633035e-07,
                             2.08757232129817482790e-09, -1.13596475577881948265e-11};
  const V shifted = hn::MulAdd(x, set(2 / std::numbers::pi), set(0x1.8p52)),
          n = hn::Sub(shifted, set(0x1.8p52));
  V r = hn::NegMulAdd(n, set(0x1.921fb54442d18p0), x);
  r = hn::NegMulAdd(n, set(0x1.1a62633145c07p-54), r);
  const V square = hn::Mul(r, r), half = hn::Mul(square, set(0.5)), rest = hn::Sub(set(1), half);
  const V sin = hn::MulAdd(hn::Mul(square, r), polynomial(square, kSin), r);
  const V small = hn::Sub(hn::Sub(set(1), rest), half);
  const V cos = hn::Add(rest, hn::MulAdd(hn::Mul(square, square), polynomial(square, kCos), small));
  const Words quarter = hn::BitCast(kW, shifted);
  const auto swapped = hn::RebindMask(kD, hn::TestBit(quarter, set_word(1)));
  const Words sin_sign = hn::ShiftLeft<62>(hn::And(quarter, set_word(2)));
  const Words cos_sign = hn::ShiftLeft<62>(hn::And(hn::Add(quarter, set_word(1)), set_word(2)));
  return {hn::Xor(hn::IfThenElse(swapped, cos, sin), hn::BitCast(kD, sin_sign)),
          hn::Xor(hn::IfThenElse(swapped, sin, cos), hn::BitCast(kD, cos_sign))};
}

using Floats = hn::Rebind<float, D>;

struct Rounded {
  hn::Vec<Floats> values;
  bool certain;  // an error of 2^-46 would not change them
};

HWY_INLINE Rounded rounded(V x) {
  const Floats floats;
  const auto below = hn::DemoteTo(floats, hn::NegMulAdd(x, set(0x1p-46), x));
  const auto above = hn::DemoteTo(floats, hn::MulAdd(x, set(0x1p-46), x));
  return {below, hn::AllTrue(floats, hn::Eq(below, above))};
}

/// Both elements of a vector of pairs, from `pair` on; false when some need normal_pair.
HWY_INLINE bool normals_of(uint64_t key, uint64_t pair, double deviation, float* to) {
  const Block block = blocks(hn::Iota(kW, pair), key);
  const V radius_uniform =
      hn::Mul(to_double(hn::Add(hn::ShiftRight<11>(block.first), set_word(1))), set(0x1p-53));
  // As normal_pair rounds it: only the product by pi is inexact.
  const V angle =
      hn::Mul(hn::Mul(to_double(hn::ShiftRight<11>(block.second)), set(0x1p-52)), set(std::numbers::pi));
  const V radius = hn::Sqrt(hn::Mul(set(-2), log(radius_uniform)));
  const SinCos turn = sin_cos(angle);
  const Rounded even = rounded(hn::Mul(set(deviation), hn::Mul(radius, turn.cos)));
  const Rounded odd = rounded(hn::Mul(set(deviation), hn::Mul(radius, turn.sin)));
  hn::StoreInterleaved2(even.values, odd.values, Floats(), to);
  return even.certain && odd.certain;
}

/// Whole vectors of pairs; returns how many pairs are done.
uint64_t fill_pairs(const RandomStream& stream, uint64_t first, uint64_t pairs, double deviation, float* to) {
  const uint64_t step = hn::Lanes(kD);
  uint64_t done = 0;
  for (; done + step <= pairs; done += step) {
    if (normals_of(stream.key(), first + done, deviation, to + 2 * done)) continue;
    for (uint64_t i = done; i < done + step; ++i)
      for (int side = 0; side < 2; ++side)
        to[2 * i + side] = static_cast<float>(deviation * stream.normal_pair(first + i)[side]);
  }
  return done;
}

}  // namespace HWY_NAMESPACE
}  // namespace pleat::base
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pleat::base {
namespace {
HWY_EXPORT(fill_pairs);
}  // namespace

void RandomStream::fill_normals(uint64_t first, double deviation, std::span<float> values) const {
  const auto one = [&](size_t i) { return static_cast<float>(deviation * normal(first + i)); };
  size_t i = 0;
  for (; i < values.size() && (first + i) % 2 == 1; ++i) values[i] = one(i);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    i += 2 * HWY_DYNAMIC_DISPATCH(fill_pairs)(*this, (first + i) / 2, (values.size() - i) / 2, deviation,
                                              values.data() + i);
  for (; i < values.size(); ++i) values[i] = one(i);
}

}  // namespace pleat::base
#endif
