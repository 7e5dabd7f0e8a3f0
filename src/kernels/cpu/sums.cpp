// SPDX-License-Identifier: Apache-2.0
// column_sum, token_sum, sum_squares: sums over rows in fixed blocks, the blocks added in order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/sums.cpp"
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

template <class T>
HWY_INLINE void column_sums_typed(const Field& x, int64_t begin, int64_t end, int64_t width, float* sums) {
  std::fill(sums, sums + width, 0.0f);
  for (int64_t r = begin; r < end; ++r) {
    const T* row = x.row<T>(r);
    for (int64_t i = 0; i < width; i += lanes()) {
      const int64_t count = width - i;
      store_part(hn::Add(load_part(sums + i, count), load_part(row + i, count)), sums + i, count);
    }
  }
}

void column_sums(const Field& x, int64_t begin, int64_t end, int64_t width, float* sums) {
  if (x.is_bf16())
    column_sums_typed<bf16>(x, begin, end, width, sums);
  else
    column_sums_typed<float>(x, begin, end, width, sums);
}

/// to = (add ? to : 0) + sum of the blocks' sums, in order, for columns [begin, end).
void combine_blocks(const float* sums, int64_t blocks, int64_t width, int64_t begin, int64_t end, float* to,
                    bool add) {
  for (int64_t i = begin; i < end; i += lanes()) {
    const int64_t count = end - i;
    V sum = hn::Zero(kF);
    for (int64_t b = 0; b < blocks; ++b) sum = hn::Add(sum, load_part(sums + b * width + i, count));
    if (add) sum = hn::Add(load_part(to + i, count), sum);
    store_part(sum, to + i, count);
  }
}

double squares(const float* x, int64_t count) {
  using D = hn::ScalableTag<double>;
  const D d;
  const hn::Rebind<float, D> half;
  const auto step = static_cast<int64_t>(hn::Lanes(d));
  auto even = hn::Zero(d), odd = hn::Zero(d);
  int64_t i = 0;
  for (; i + 2 * step <= count; i += 2 * step) {
    const auto a = hn::PromoteTo(d, hn::LoadU(half, x + i));
    const auto b = hn::PromoteTo(d, hn::LoadU(half, x + i + step));
    even = hn::MulAdd(a, a, even);
    odd = hn::MulAdd(b, b, odd);
  }
  double sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(even, odd)));
  for (; i < count; ++i) sum += static_cast<double>(x[i]) * x[i];
  return sum;
}

}  // namespace HWY_NAMESPACE
}  // namespace pleat::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pleat::kernels::cpu {
namespace {

HWY_EXPORT(column_sums);
HWY_EXPORT(combine_blocks);
HWY_EXPORT(squares);

constexpr int64_t kSquaresBlock = kTaskElements;

int64_t square_blocks(const Signature& s) {
  const int64_t part = s.reads[0].shape.elements() / s.attributes.integer("tensors");
  return (part + kSquaresBlock - 1) / kSquaresBlock;
}

}  // namespace

void add_up_blocks(Team& team, const float* sums, int64_t blocks, int64_t width, float* to, bool add) {
  constexpr int64_t kColumns = 2048;
  team.run((width + kColumns - 1) / kColumns, [&](int64_t index, int) {
    HWY_DYNAMIC_DISPATCH(combine_blocks)
    (sums, blocks, width, index * kColumns, std::min(width, (index + 1) * kColumns), to, add);
  });
}

int64_t column_sum_workspace(const Signature& s, int) {
  return Blocks(s.reads[0].shape[0]).count * s.reads[0].shape[1] * 4;
}

KernelPtr make_column_sum(const Signature& s, int) {
  return make_kernel([s, add = accumulates(s, 0)](const Call& call, Team& team) {
    const Field x(s.reads[0], call.reads[0]);
    const int64_t rows = s.reads[0].shape[0], width = s.reads[0].shape[1];
    const Blocks blocks(rows);
    auto* sums = reinterpret_cast<float*>(call.workspace);
    team.run(blocks.count, [&](int64_t b, int) {
      HWY_DYNAMIC_DISPATCH(column_sums)
      (x, b * blocks.size, std::min(rows, (b + 1) * blocks.size), width, sums + b * width);
    });
    add_up_blocks(team, sums, blocks.count, width, reinterpret_cast<float*>(call.writes[0]),
                  add && !call.first);
  });
}

KernelPtr make_token_sum(const Signature& s, int) {
  return make_kernel([count = s.reads[0].shape.elements(), add = accumulates(s, 0)](const Call& call, Team&) {
    const auto* x = reinterpret_cast<const float*>(call.reads[0]);
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += x[i];
    auto* to = reinterpret_cast<double*>(call.writes[0]);
    *to = (add && !call.first ? *to : 0.0) + sum;
  });
}

int64_t sum_squares_workspace(const Signature& s, int) {
  return square_blocks(s) * s.attributes.integer("tensors") * static_cast<int64_t>(sizeof(double));
}

KernelPtr make_sum_squares(const Signature& s, int) {
  const int64_t tensors = s.attributes.integer("tensors"), blocks = square_blocks(s);
  const int64_t part = s.reads[0].shape.elements() / tensors;
  return make_kernel([=](const Call& call, Team& team) {
    const auto* g = reinterpret_cast<const float*>(call.reads[0]);
    auto* sums = reinterpret_cast<double*>(call.workspace);
    team.run(tensors * blocks, [&](int64_t index, int) {
      const int64_t begin = index % blocks * kSquaresBlock;
      const float* x = g + index / blocks * part + begin;
      sums[index] = HWY_DYNAMIC_DISPATCH(squares)(x, std::min(kSquaresBlock, part - begin));
    });
    auto* to = reinterpret_cast<double*>(call.writes[0]);
    for (int64_t t = 0; t < tensors; ++t) {
      double sum = 0;
      for (int64_t b = 0; b < blocks; ++b) sum += sums[t * blocks + b];
      to[t] = sum;
    }
  });
}

}  // namespace pleat::kernels::cpu
#endif
