// SPDX-License-Identifier: Apache-2.0
// rope: pairs (i, i + N/2) of each head turned by the angle of the token's position.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/rope.cpp"
#include "kernels/cpu/targets.h"
// after targets.h
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <algorithm>

#include "base/errors.h"
#include "kernels/cpu/field.h"
#include "kernels/cpu/make.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pleat::kernels::cpu {
namespace HWY_NAMESPACE {

template <class T>
HWY_INLINE void turn(const T* x, const float* cosines, const float* sines, T* y, int64_t half, bool inverse) {
  for (int64_t i = 0; i < half; i += lanes()) {
    const int64_t count = half - i;
    const V c = load_part(cosines + i, count), plain = load_part(sines + i, count);
    const V s = inverse ? hn::Neg(plain) : plain;
    const V a = load_part(x + i, count), b = load_part(x + half + i, count);
    store_part(hn::NegMulAdd(b, s, hn::Mul(a, c)), y + i, count);
    store_part(hn::MulAdd(a, s, hn::Mul(b, c)), y + half + i, count);
  }
}

void turn_token(const Field& x, const Field& y, int64_t token, const float* angles, int64_t heads, int64_t n,
                bool inverse) {
  for (int64_t h = 0; h < heads; ++h) {
    if (x.is_bf16())
      turn(x.row<bf16>(token) + h * n, angles, angles + n / 2, y.row<bf16>(token) + h * n, n / 2, inverse);
    else
      turn(x.row<float>(token) + h * n, angles, angles + n / 2, y.row<float>(token) + h * n, n / 2, inverse);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace pleat::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pleat::kernels::cpu {
namespace {
HWY_EXPORT(turn_token);
}  // namespace

KernelPtr make_rope(const Signature& s, int) {
  const bool inverse = s.attributes.integer_or("inverse", 0) != 0;
  return make_kernel([s, inverse](const Call& call, Team& team) {
    const Field x(s.reads[0], call.reads[0]), table(s.reads[2], call.reads[2]),
        y(s.writes[0], call.writes[0]);
    const auto* positions = reinterpret_cast<const int32_t*>(call.reads[1]);
    const int64_t heads = s.reads[0].shape[1], n = s.reads[0].shape[2], rows = s.reads[2].shape[0];
    for_rows(team, s.reads[0].shape[0], heads * n, [&](int64_t begin, int64_t end, int) {
      const auto turn = HWY_DYNAMIC_DISPATCH(turn_token);
      for (int64_t t = begin; t < end; ++t) {
        if (positions[t] < 0 || positions[t] >= rows)
          base::fail<base::CheckError>("rope: token {} has position {}, outside the table of {}", t,
                                       positions[t], rows);
        turn(x, y, t, table.row<float>(positions[t]), heads, n, inverse);
      }
    });
  });
}

}  // namespace pleat::kernels::cpu
#endif
