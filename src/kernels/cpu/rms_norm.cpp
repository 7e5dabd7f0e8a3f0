// SPDX-License-Identifier: Apache-2.0
// rms_norm, rms_norm_grad. A row is one normalised vector; dims between the first and the last only count
// rows.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/rms_norm.cpp"
#include "kernels/cpu/targets.h"
// after targets.h
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <algorithm>
#include <cmath>

#include "kernels/cpu/field.h"
#include "kernels/cpu/make.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pleat::kernels::cpu {
namespace HWY_NAMESPACE {

HWY_INLINE Two normed(Two x, V rstd, Two w) {
  return {hn::Mul(hn::Mul(x.a, rstd), w.a), hn::Mul(hn::Mul(x.b, rstd), w.b)};
}

template <class T>
HWY_INLINE float sum_of_squares(const T* x, int64_t n) {
  Two sum{hn::Zero(kF), hn::Zero(kF)};
  const auto add = [&](Two v) HWY_ATTR {
    sum.a = hn::MulAdd(v.a, v.a, sum.a);
    sum.b = hn::MulAdd(v.b, v.b, sum.b);
  };
  int64_t i = 0;
  for (; i + two_lanes() <= n; i += two_lanes()) add(load_two(x + i));
  if (i < n) add(load_two_part(x + i, n - i));
  return sum_lanes(hn::Add(sum.a, sum.b));
}

template <class T>
HWY_INLINE void norm_row(const T* x, const float* w, T* y, float* rstd, int64_t n, float eps) {
  *rstd = 1.0f / std::sqrt(sum_of_squares(x, n) / static_cast<float>(n) + eps);
  const V r = set(*rstd);
  int64_t i = 0;
  for (; i + two_lanes() <= n; i += two_lanes())
    stream_two(normed(stream_two(x + i), r, load_two_as<T>(w + i)), y + i);
  if (i == n) return;
  store_two_part(normed(load_two_part(x + i, n - i), r, load_two_part_as<T>(w + i, n - i)), y + i, n - i);
}

template <class T>
HWY_INLINE void norm_grad_row(const T* x, const float* w, float rstd, const T* dy, T* dx, float* dw,
                              int64_t n) {
  const V r = set(rstd);
  V dot = hn::Zero(kF);
  for (int64_t i = 0; i < n; i += lanes()) {
    const int64_t count = n - i;
    const V hat = hn::Mul(load_part(x + i, count), r);
    const V d = load_part(dy + i, count);
    store_part(hn::MulAdd(d, hat, load_part(dw + i, count)), dw + i, count);
    dot = hn::MulAdd(hn::Mul(d, load_part(w + i, count)), hat, dot);
  }
  const V mean = set(sum_lanes(dot) / static_cast<float>(n));
  for (int64_t i = 0; i < n; i += lanes()) {
    const int64_t count = n - i;
    const V hat = hn::Mul(load_part(x + i, count), r);
    const V g = hn::Mul(load_part(dy + i, count), load_part(w + i, count));
    store_part(hn::Mul(r, hn::NegMulAdd(hat, mean, g)), dx + i, count);
  }
}

/// `inner` vectors of `n` elements per row of the fields.
void norm_rows(const Field& x, const float* w, const Field& y, float* rstd, int64_t begin, int64_t end,
               int64_t inner, int64_t n, float eps) {
  for (int64_t t = begin; t < end; ++t)
    for (int64_t h = 0; h < inner; ++h) {
      if (x.is_bf16())
        norm_row(x.row<bf16>(t) + h * n, w, y.row<bf16>(t) + h * n, rstd + t * inner + h, n, eps);
      else
        norm_row(x.row<float>(t) + h * n, w, y.row<float>(t) + h * n, rstd + t * inner + h, n, eps);
    }
}

void norm_grad_rows(const Field& x, const float* w, const float* rstd, const Field& dy, const Field& dx,
                    float* dw, int64_t begin, int64_t end, int64_t inner, int64_t n) {
  std::fill(dw, dw + n, 0.0f);
  for (int64_t t = begin; t < end; ++t)
    for (int64_t h = 0; h < inner; ++h) {
      const float r = rstd[t * inner + h];
      if (x.is_bf16())
        norm_grad_row(x.row<bf16>(t) + h * n, w, r, dy.row<bf16>(t) + h * n, dx.row<bf16>(t) + h * n, dw, n);
      else
        norm_grad_row(x.row<float>(t) + h * n, w, r, dy.row<float>(t) + h * n, dx.row<float>(t) + h * n, dw,
                      n);
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace pleat::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pleat::kernels::cpu {
namespace {

HWY_EXPORT(norm_rows);
HWY_EXPORT(norm_grad_rows);

struct NormShape {
  explicit NormShape(const Signature& s)
      : rows(s.reads[0].shape[0]),
        n(s.reads[0].shape[s.reads[0].shape.dims() - 1]),
        inner(s.reads[0].shape.row_elements() / n) {}
  int64_t rows, n, inner;
};

}  // namespace

KernelPtr make_rms_norm(const Signature& s, int) {
  const auto eps = static_cast<float>(s.attributes.number("eps"));
  return make_kernel([s, eps, shape = NormShape(s)](const Call& call, Team& team) {
    const Field x(s.reads[0], call.reads[0]), y(s.writes[0], call.writes[0]);
    const auto* w = reinterpret_cast<const float*>(call.reads[1]);
    auto* rstd = reinterpret_cast<float*>(call.writes[1]);
    for_rows(team, shape.rows, shape.n * shape.inner, [&](int64_t begin, int64_t end, int) {
      HWY_DYNAMIC_DISPATCH(norm_rows)(x, w, y, rstd, begin, end, shape.inner, shape.n, eps);
    });
  });
}

int64_t rms_norm_grad_workspace(const Signature& s, int) {
  const NormShape shape(s);
  return Blocks(shape.rows).count * shape.n * 4;
}

KernelPtr make_rms_norm_grad(const Signature& s, int) {
  return make_kernel([s, shape = NormShape(s), add = accumulates(s, 1)](const Call& call, Team& team) {
    const Field x(s.reads[0], call.reads[0]), dy(s.reads[3], call.reads[3]), dx(s.writes[0], call.writes[0]);
    const auto* w = reinterpret_cast<const float*>(call.reads[1]);
    const auto* rstd = reinterpret_cast<const float*>(call.reads[2]);
    auto* sums = reinterpret_cast<float*>(call.workspace);
    const Blocks blocks(shape.rows);
    team.run(blocks.count, [&](int64_t b, int) {
      const int64_t end = std::min(shape.rows, (b + 1) * blocks.size);
      HWY_DYNAMIC_DISPATCH(norm_grad_rows)
      (x, w, rstd, dy, dx, sums + b * shape.n, b * blocks.size, end, shape.inner, shape.n);
    });
    add_up_blocks(team, sums, blocks.count, shape.n, reinterpret_cast<float*>(call.writes[1]),
                  add && !call.first);
  });
}

}  // namespace pleat::kernels::cpu
#endif
