// SPDX-License-Identifier: Apache-2.0
// swiglu, swiglu_grad; with counts only the experts' rows are read and written.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/swiglu.cpp"
#include "kernels/cpu/targets.h"
// after targets.h
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <algorithm>

#include "kernels/cpu/expert_rows.h"
#include "kernels/cpu/field.h"
#include "kernels/cpu/functions-inl.h"
#include "kernels/cpu/make.h"

HWY_BEFORE_NAMESPACE();
namespace pleat::kernels::cpu {
namespace HWY_NAMESPACE {

HWY_INLINE V swiglu_of(V gate, V up) {
  return sigmoid(gate).times(hn::Mul(gate, up));
}
HWY_INLINE Two swiglu_of(Two gate, Two up) {
  return {swiglu_of(gate.a, up.a), swiglu_of(gate.b, up.b)};
}

template <class T>
HWY_INLINE void swiglu_row(const T* x, T* y, int64_t f) {
  int64_t i = 0;
  for (; i + two_lanes() <= f; i += two_lanes())
    stream_two(swiglu_of(stream_two(x + i), stream_two(x + f + i)), y + i);
  if (i == f) return;
  store_two_part(swiglu_of(load_two_part(x + i, f - i), load_two_part(x + f + i, f - i)), y + i, f - i);
}

template <class Vectors>
struct Cotangents {
  Vectors gate, up;
};

HWY_INLINE Cotangents<V> swiglu_grad_of(V gate, V up, V dy) {
  const Sigmoid sigma = sigmoid(gate);
  const V s = sigma.times(set(1.0f)), silu = sigma.times(gate);
  const V slope = hn::MulAdd(silu, hn::Sub(set(1.0f), s), s);  // s + gate s (1 - s)
  return {hn::Mul(hn::Mul(dy, up), slope), hn::Mul(dy, silu)};
}
HWY_INLINE Cotangents<Two> swiglu_grad_of(Two gate, Two up, Two dy) {
  const auto a = swiglu_grad_of(gate.a, up.a, dy.a), b = swiglu_grad_of(gate.b, up.b, dy.b);
  return {{a.gate, b.gate}, {a.up, b.up}};
}

template <class T>
HWY_INLINE void swiglu_grad_row(const T* x, const T* dy, T* dx, int64_t f) {
  int64_t i = 0;
  for (; i + two_lanes() <= f; i += two_lanes()) {
    const auto d = swiglu_grad_of(stream_two(x + i), stream_two(x + f + i), stream_two(dy + i));
    stream_two(d.gate, dx + i);
    stream_two(d.up, dx + f + i);
  }
  if (i == f) return;
  const int64_t left = f - i;
  const auto d =
      swiglu_grad_of(load_two_part(x + i, left), load_two_part(x + f + i, left), load_two_part(dy + i, left));
  store_two_part(d.gate, dx + i, left);
  store_two_part(d.up, dx + f + i, left);
}

void swiglu_rows(const Field& x, const Field& y, int64_t begin, int64_t end, int64_t f) {
  for (int64_t r = begin; r < end; ++r) {
    if (x.is_bf16())
      swiglu_row(x.row<bf16>(r), y.row<bf16>(r), f);
    else
      swiglu_row(x.row<float>(r), y.row<float>(r), f);
  }
}

void swiglu_grad_rows(const Field& x, const Field& dy, const Field& dx, int64_t begin, int64_t end,
                      int64_t f) {
  for (int64_t r = begin; r < end; ++r) {
    if (x.is_bf16())
      swiglu_grad_row(x.row<bf16>(r), dy.row<bf16>(r), dx.row<bf16>(r), f);
    else
      swiglu_grad_row(x.row<float>(r), dy.row<float>(r), dx.row<float>(r), f);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace pleat::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pleat::kernels::cpu {
namespace {

HWY_EXPORT(swiglu_rows);
HWY_EXPORT(swiglu_grad_rows);

/// body(begin, end) over the rows to be computed: all, or the experts'. `counts` is the operand's position.
template <class Body>
void for_computed_rows(Team& team, const Signature& s, const Call& call, size_t counts, int64_t width,
                       Body&& body) {
  const int64_t rows = s.writes[0].shape[0];
  if (s.reads.size() <= counts) {
    for_rows(team, rows, width, [&](int64_t begin, int64_t end, int) { body(begin, end); });
    return;
  }
  const ExpertRows experts(s.reads[counts], s.attributes.integer("tile"), rows);
  const auto* numbers = reinterpret_cast<const int32_t*>(call.reads[counts]);
  for_rows(team, rows, width, [&](int64_t begin, int64_t end, int) {
    experts.for_each(numbers, [&](int64_t, RowRange range) {
      const int64_t from = std::max(begin, range.begin), to = std::min(end, range.end);
      if (from < to) body(from, to);
    });
  });
}

}  // namespace

KernelPtr make_swiglu(const Signature& s, int) {
  return make_kernel([s](const Call& call, Team& team) {
    const Field x(s.reads[0], call.reads[0]), y(s.writes[0], call.writes[0]);
    const int64_t f = s.writes[0].shape[1];
    for_computed_rows(team, s, call, 1, f, [&](int64_t begin, int64_t end) {
      HWY_DYNAMIC_DISPATCH(swiglu_rows)(x, y, begin, end, f);
    });
  });
}

KernelPtr make_swiglu_grad(const Signature& s, int) {
  return make_kernel([s](const Call& call, Team& team) {
    const Field x(s.reads[0], call.reads[0]), dy(s.reads[1], call.reads[1]), dx(s.writes[0], call.writes[0]);
    const int64_t f = s.reads[1].shape[1];
    for_computed_rows(team, s, call, 2, f, [&](int64_t begin, int64_t end) {
      HWY_DYNAMIC_DISPATCH(swiglu_grad_rows)(x, dy, dx, begin, end, f);
    });
  });
}

}  // namespace pleat::kernels::cpu
#endif
