// SPDX-License-Identifier: Apache-2.0
// route, permute, unpermute, combine, combine_grad: tokens to expert rows and back. A row at or beyond the
// bound of the expert buffer is left out.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/permute.cpp"
#include "kernels/cpu/targets.h"
// after targets.h
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <algorithm>
#include <cstring>

#include "base/errors.h"
#include "kernels/cpu/field.h"
#include "kernels/cpu/make.h"
#include "kernels/cpu/simd-inl.h"
#include "kernels/cpu/tile.h"

HWY_BEFORE_NAMESPACE();
namespace pleat::kernels::cpu {
namespace HWY_NAMESPACE {

/// out = sum over k of weights[k] y[rows[k]] (weights null: all 1), in order of k.
template <class T>
HWY_INLINE void gather_token(const Field& y, const int32_t* rows, const float* weights, int64_t top_k,
                             int64_t bound, T* out, int64_t width) {
  for (int64_t i = 0; i < width; i += lanes()) {
    V sum = hn::Zero(kF);
    for (int64_t k = 0; k < top_k; ++k) {
      if (rows[k] >= bound) continue;
      const V v = load_part(y.row<T>(rows[k]) + i, width - i);
      sum = weights == nullptr ? hn::Add(sum, v) : hn::MulAdd(set(weights[k]), v, sum);
    }
    store_part(sum, out + i, width - i);
  }
}

template <class T>
HWY_INLINE float spread_row(const T* dout, float weight, const T* y, T* dy, int64_t width) {
  V dot = hn::Zero(kF);
  for (int64_t i = 0; i < width; i += lanes()) {
    const V d = load_part(dout + i, width - i);
    dot = hn::MulAdd(d, load_part(y + i, width - i), dot);
    store_part(hn::Mul(set(weight), d), dy + i, width - i);
  }
  return sum_lanes(dot);
}

/// memcpy, but the lines of `to` are asked for ahead: of this row, then of the expert's next one.
HWY_INLINE void copy_row(const std::byte* from, std::byte* to, int64_t bytes) {
  const auto* x = reinterpret_cast<const uint32_t*>(from);
  auto* y = reinterpret_cast<uint32_t*>(to);
  const int64_t words = bytes / 4;
  int64_t i = 0;
  for (; i + two_lanes() <= words; i += two_lanes()) {
    own_ahead(y + i);
    const auto a = hn::LoadU(kU, x + i), b = hn::LoadU(kU, x + i + lanes());
    hn::StoreU(a, kU, y + i);
    hn::StoreU(b, kU, y + i + lanes());
  }
  std::memcpy(to + 4 * i, from + 4 * i, static_cast<size_t>(bytes - 4 * i));
}

/// Each token's row to its places.
void scatter_tokens(const Field& x, const int32_t* rows, int64_t top_k, int64_t bound, const Field& y,
                    int64_t begin, int64_t end, int64_t width) {
  const int64_t element = base::size_of(x.dtype);
  for (int64_t t = begin; t < end; ++t)
    for (int64_t k = 0; k < top_k; ++k) {
      const int64_t row = rows[t * top_k + k];
      if (row >= bound) continue;
      copy_row(x.data + t * x.stride * element, y.data + row * y.stride * element, width * element);
    }
}

void gather_tokens(const Field& y, const int32_t* rows, const float* weights, int64_t top_k, int64_t bound,
                   const Field& out, int64_t begin, int64_t end, int64_t width) {
  for (int64_t t = begin; t < end; ++t) {
    const float* w = weights == nullptr ? nullptr : weights + t * top_k;
    if (y.is_bf16())
      gather_token(y, rows + t * top_k, w, top_k, bound, out.row<bf16>(t), width);
    else
      gather_token(y, rows + t * top_k, w, top_k, bound, out.row<float>(t), width);
  }
}

float spread_token(const Field& dout, int64_t t, float weight, const Field& y, const Field& dy, int64_t row,
                   int64_t width) {
  if (y.is_bf16()) return spread_row(dout.row<bf16>(t), weight, y.row<bf16>(row), dy.row<bf16>(row), width);
  return spread_row(dout.row<float>(t), weight, y.row<float>(row), dy.row<float>(row), width);
}

}  // namespace HWY_NAMESPACE
}  // namespace pleat::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pleat::kernels::cpu {
namespace {

HWY_EXPORT(scatter_tokens);
HWY_EXPORT(gather_tokens);
HWY_EXPORT(spread_token);

const int32_t* integers(std::byte* data) {
  return reinterpret_cast<const int32_t*>(data);
}

/// unpermute (no weights) and combine.
KernelPtr make_gather(const Signature& s, bool weighted) {
  return make_kernel([s, weighted](const Call& call, Team& team) {
    const Field y(s.reads[0], call.reads[0]), out(s.writes[0], call.writes[0]);
    const auto* weights = weighted ? reinterpret_cast<const float*>(call.reads[2]) : nullptr;
    const int64_t top_k = s.reads[1].shape[1], width = s.writes[0].shape[1];
    for_rows(team, s.writes[0].shape[0], width * top_k, [&](int64_t begin, int64_t end, int) {
      HWY_DYNAMIC_DISPATCH(gather_tokens)
      (y, integers(call.reads[1]), weights, top_k, s.reads[0].shape[0], out, begin, end, width);
    });
  });
}

}  // namespace

int64_t route_workspace(const Signature& s, int) {
  return s.writes[1].shape.elements() * static_cast<int64_t>(sizeof(int32_t));
}

KernelPtr make_route(const Signature& s, int) {
  const int64_t pairs = s.reads[0].shape.elements(), experts = s.writes[1].shape.elements();
  const int64_t tile = s.attributes.integer("tile");
  return make_kernel([=](const Call& call, Team&) {
    const int32_t* indices = integers(call.reads[0]);
    auto* rows = reinterpret_cast<int32_t*>(call.writes[0]);
    auto* counts = reinterpret_cast<int32_t*>(call.writes[1]);
    auto* next = reinterpret_cast<int32_t*>(call.workspace);
    std::fill(counts, counts + experts, 0);
    for (int64_t i = 0; i < pairs; ++i) {
      if (indices[i] < 0 || indices[i] >= experts)
        base::fail<base::CheckError>("route: index {} of pair {} is outside the experts, [0, {})", indices[i],
                                     i, experts);
      ++counts[indices[i]];
    }
    int64_t start = 0;
    for (int64_t e = 0; e < experts; ++e) {
      next[e] = static_cast<int32_t>(start);
      start += round_up(counts[e], tile);
    }
    for (int64_t i = 0; i < pairs; ++i) rows[i] = next[indices[i]]++;
  });
}

KernelPtr make_permute(const Signature& s, int) {
  return make_kernel([s](const Call& call, Team& team) {
    const Field x(s.reads[0], call.reads[0]), y(s.writes[0], call.writes[0]);
    const int32_t* rows = integers(call.reads[1]);
    const int64_t top_k = s.reads[1].shape[1], width = s.reads[0].shape[1], bound = s.writes[0].shape[0];
    for_rows(team, s.reads[0].shape[0], width * top_k, [&](int64_t begin, int64_t end, int) {
      HWY_DYNAMIC_DISPATCH(scatter_tokens)(x, rows, top_k, bound, y, begin, end, width);
    });
  });
}

KernelPtr make_unpermute(const Signature& s, int) {
  return make_gather(s, false);
}

KernelPtr make_combine(const Signature& s, int) {
  return make_gather(s, true);
}

KernelPtr make_combine_grad(const Signature& s, int) {
  return make_kernel([s](const Call& call, Team& team) {
    const Field y(s.reads[0], call.reads[0]), dout(s.reads[3], call.reads[3]),
        dy(s.writes[0], call.writes[0]);
    const int32_t* rows = integers(call.reads[1]);
    const auto* weights = reinterpret_cast<const float*>(call.reads[2]);
    auto* dweights = reinterpret_cast<float*>(call.writes[1]);
    const int64_t top_k = s.reads[1].shape[1], width = s.reads[0].shape[1], bound = s.reads[0].shape[0];
    for_rows(team, s.reads[1].shape[0], width * top_k, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin * top_k; i < end * top_k; ++i)
        dweights[i] = rows[i] >= bound ? 0.0f
                                       : HWY_DYNAMIC_DISPATCH(spread_token)(dout, i / top_k, weights[i], y,
                                                                            dy, rows[i], width);
    });
  });
}

}  // namespace pleat::kernels::cpu
#endif
