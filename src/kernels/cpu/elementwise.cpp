// SPDX-License-Identifier: Apache-2.0
// cast, add, scale, add_bias.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/elementwise.cpp"
#include "kernels/cpu/targets.h"
// after targets.h
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <algorithm>

#include "kernels/cpu/field.h"
#include "kernels/cpu/make.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pleat::kernels::cpu {
namespace HWY_NAMESPACE {

template <class X, class Y, class Function>
HWY_INLINE void map(const X* x, Y* y, int64_t width, Function function) {
  int64_t i = 0;
  for (; i + lanes() <= width; i += lanes()) store(function(load(x + i)), y + i);
  if (i < width) store_part(function(load_part(x + i, width - i)), y + i, width - i);
}

template <class X, class Z, class Y>
HWY_INLINE void map_sum(const X* a, const Z* b, Y* y, int64_t width) {
  int64_t i = 0;
  for (; i + lanes() <= width; i += lanes()) store(hn::Add(load(a + i), load(b + i)), y + i);
  if (i < width)
    store_part(hn::Add(load_part(a + i, width - i), load_part(b + i, width - i)), y + i, width - i);
}

template <class X, class Y>
void scale_typed(const Field& x, const Field& y, int64_t begin, int64_t end, int64_t width, float factor) {
  const V f = set(factor);
  for (int64_t r = begin; r < end; ++r)
    map(x.row<X>(r), y.row<Y>(r), width, [&](V value) HWY_ATTR { return hn::Mul(value, f); });
}

void cast_from_halves(const bf16* x, float* y, int64_t width) {
  map(x, y, width, [](V value) HWY_ATTR { return value; });
}

void cast_to_halves(const float* x, bf16* y, int64_t width) {
  int64_t i = 0;
  for (; i + two_lanes() <= width; i += two_lanes()) stream_two(load_two_as<bf16>(x + i), y + i);
  if (i < width) store_two_part(load_two_part_as<bf16>(x + i, width - i), y + i, width - i);
}

void cast_rows(const Field& x, const Field& y, int64_t begin, int64_t end, int64_t width) {
  if (x.dtype == y.dtype) {
    const size_t bytes = static_cast<size_t>(width * base::size_of(x.dtype));
    for (int64_t r = begin; r < end; ++r)
      std::memcpy(y.data + r * y.stride * base::size_of(y.dtype),
                  x.data + r * x.stride * base::size_of(x.dtype), bytes);
  } else if (x.is_bf16()) {
    for (int64_t r = begin; r < end; ++r) cast_from_halves(x.row<bf16>(r), y.row<float>(r), width);
  } else {
    for (int64_t r = begin; r < end; ++r) cast_to_halves(x.row<float>(r), y.row<bf16>(r), width);
  }
}

void scale_rows(const Field& x, const Field& y, int64_t begin, int64_t end, int64_t width, float factor) {
  if (x.is_bf16())
    y.is_bf16() ? scale_typed<bf16, bf16>(x, y, begin, end, width, factor)
                : scale_typed<bf16, float>(x, y, begin, end, width, factor);
  else
    y.is_bf16() ? scale_typed<float, bf16>(x, y, begin, end, width, factor)
                : scale_typed<float, float>(x, y, begin, end, width, factor);
}

template <class X, class Z, class Y>
void add_typed(const Field& a, const Field& b, const Field& y, int64_t begin, int64_t end, int64_t width) {
  for (int64_t r = begin; r < end; ++r) map_sum(a.row<X>(r), b.row<Z>(r), y.row<Y>(r), width);
}

template <class X, class Z>
void add_into(const Field& a, const Field& b, const Field& y, int64_t begin, int64_t end, int64_t width) {
  if (y.is_bf16()) return add_typed<X, Z, bf16>(a, b, y, begin, end, width);
  add_typed<X, Z, float>(a, b, y, begin, end, width);
}

/// `b` with stride 0 is one row for all.
void add_rows(const Field& a, const Field& b, const Field& y, int64_t begin, int64_t end, int64_t width) {
  if (a.is_bf16())
    b.is_bf16() ? add_into<bf16, bf16>(a, b, y, begin, end, width)
                : add_into<bf16, float>(a, b, y, begin, end, width);
  else
    b.is_bf16() ? add_into<float, bf16>(a, b, y, begin, end, width)
                : add_into<float, float>(a, b, y, begin, end, width);
}

}  // namespace HWY_NAMESPACE
}  // namespace pleat::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pleat::kernels::cpu {
namespace {

HWY_EXPORT(cast_rows);
HWY_EXPORT(scale_rows);
HWY_EXPORT(add_rows);

/// Rows and width of an elementwise operation: its own rows when some operand is strided, else even pieces.
struct Extent {
  int64_t rows = 1, width = 1, last = 1;
  bool pieces = false;
};

Extent extent_of(const Signature& s) {
  const auto& y = s.writes[0];
  bool dense = y.is_dense();
  for (const auto& x : s.reads) dense = dense && x.is_dense();
  const int64_t elements = y.shape.elements();
  if (!dense) return {y.shape[0], y.shape.row_elements(), y.shape.row_elements(), false};
  const int64_t rows = (elements + kTaskElements - 1) / kTaskElements;
  return {rows, kTaskElements, elements - (rows - 1) * kTaskElements, true};
}

/// body(begin, end, width) with fields whose strides are the extent's.
template <class Body>
void for_extent(Team& team, const Extent& extent, Body&& body) {
  if (!extent.pieces) {
    for_rows(team, extent.rows, extent.width,
             [&](int64_t begin, int64_t end, int) { body(begin, end, extent.width); });
    return;
  }
  team.run(extent.rows, [&](int64_t index, int) {
    body(index, index + 1, index + 1 == extent.rows ? extent.last : extent.width);
  });
}

Field field_of(const graph::OperandType& type, std::byte* data, const Extent& extent) {
  Field field(type, data);
  if (extent.pieces) field.stride = extent.width;
  return field;
}

}  // namespace

KernelPtr make_cast(const Signature& s, int) {
  return make_kernel([s, extent = extent_of(s)](const Call& call, Team& team) {
    const Field x = field_of(s.reads[0], call.reads[0], extent),
                y = field_of(s.writes[0], call.writes[0], extent);
    for_extent(team, extent, [&](int64_t begin, int64_t end, int64_t width) {
      HWY_DYNAMIC_DISPATCH(cast_rows)(x, y, begin, end, width);
    });
  });
}

KernelPtr make_scale(const Signature& s, int) {
  const auto factor = static_cast<float>(s.attributes.number("factor"));
  return make_kernel([s, factor, extent = extent_of(s)](const Call& call, Team& team) {
    const Field x = field_of(s.reads[0], call.reads[0], extent),
                y = field_of(s.writes[0], call.writes[0], extent);
    for_extent(team, extent, [&](int64_t begin, int64_t end, int64_t width) {
      HWY_DYNAMIC_DISPATCH(scale_rows)(x, y, begin, end, width, factor);
    });
  });
}

KernelPtr make_add(const Signature& s, int) {
  return make_kernel([s, extent = extent_of(s)](const Call& call, Team& team) {
    const Field a = field_of(s.reads[0], call.reads[0], extent),
                b = field_of(s.reads[1], call.reads[1], extent);
    const Field y = field_of(s.writes[0], call.writes[0], extent);
    for_extent(team, extent, [&](int64_t begin, int64_t end, int64_t width) {
      HWY_DYNAMIC_DISPATCH(add_rows)(a, b, y, begin, end, width);
    });
  });
}

KernelPtr make_add_bias(const Signature& s, int) {
  return make_kernel([s](const Call& call, Team& team) {
    const Field x(s.reads[0], call.reads[0]), y(s.writes[0], call.writes[0]);
    Field bias(s.reads[1], call.reads[1]);
    bias.stride = 0;
    const int64_t width = s.writes[0].shape[1];
    for_rows(team, s.writes[0].shape[0], width, [&](int64_t begin, int64_t end, int) {
      HWY_DYNAMIC_DISPATCH(add_rows)(x, bias, y, begin, end, width);
    });
  });
}

}  // namespace pleat::kernels::cpu
#endif
