// SPDX-License-Identifier: Apache-2.0
// The fp32 product in vectors: as many rows as fit in registers times two vectors of columns.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/product_f32.cpp"
#include "kernels/cpu/targets.h"
// after targets.h
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <algorithm>

#include "kernels/cpu/product.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pleat::kernels::cpu {
namespace HWY_NAMESPACE {

// 16 registers hold 6 x 2 sums; 32 registers 12 x 2. Two vectors of columns at a time keep it the same
// everywhere.
inline constexpr int64_t kRows = HWY_TARGET == HWY_AVX3 ? 12 : 6;
inline constexpr int64_t kMaxColumns = 2 * HWY_MAX_BYTES / 4;

template <class T, bool add>
HWY_INLINE void put(V sum, int64_t columns, T* to) {
  if (columns <= 0) return;
  if constexpr (add) sum = hn::Add(load_part(to, columns), sum);
  store_part(sum, to, columns);
}

/// R rows times two vectors of one panel's columns.
template <int64_t R, class T, bool add>
HWY_INLINE void rows_by_two(const float* a, int64_t a_stride, const float* panel, int64_t depth,
                            int64_t columns, T* to, int64_t to_stride) {
  V left[R], right[R];
  for (int64_t r = 0; r < R; ++r) left[r] = right[r] = hn::Zero(kF);
  for (int64_t k = 0; k < depth; ++k) {
    const V b0 = hn::Load(kF, panel + k * kPanelColumns);
    const V b1 = hn::Load(kF, panel + k * kPanelColumns + lanes());
    for (int64_t r = 0; r < R; ++r) {
      const V x = set(a[r * a_stride + k]);
      left[r] = hn::MulAdd(x, b0, left[r]);
      right[r] = hn::MulAdd(x, b1, right[r]);
    }
  }
  for (int64_t r = 0; r < R; ++r) {
    put<T, add>(left[r], columns, to + r * to_stride);
    put<T, add>(right[r], columns - lanes(), to + r * to_stride + lanes());
  }
}

template <int64_t R, class T, bool add>
HWY_NOINLINE void panel_rows(const float* a, int64_t a_stride, const float* panel, int64_t depth,
                             int64_t columns, T* to, int64_t to_stride) {
  const int64_t step = 2 * lanes();
  for (int64_t c = 0; c < columns; c += step)
    rows_by_two<R, T, add>(a, a_stride, panel + c, depth, columns - c, to + c, to_stride);
}

template <class T, bool add>
void multiply_to(const Block& block, T* to, int64_t to_stride) {
  const auto* a = reinterpret_cast<const float*>(block.a);
  const auto* panels = reinterpret_cast<const float*>(block.panels);
  for (int64_t n = 0; n < block.columns; n += kPanelColumns) {
    const float* panel = panels + n * block.depth;
    const int64_t columns = std::min(kPanelColumns, block.columns - n);
    int64_t m = 0;
    for (; m + kRows <= block.rows; m += kRows)
      panel_rows<kRows, T, add>(a + m * block.a_stride, block.a_stride, panel, block.depth, columns,
                                to + m * to_stride + n, to_stride);
    for (; m + 8 <= block.rows && kRows > 8; m += 8)
      panel_rows<8, T, add>(a + m * block.a_stride, block.a_stride, panel, block.depth, columns,
                            to + m * to_stride + n, to_stride);
    for (; m + 4 <= block.rows; m += 4)
      panel_rows<4, T, add>(a + m * block.a_stride, block.a_stride, panel, block.depth, columns,
                            to + m * to_stride + n, to_stride);
    for (; m < block.rows; ++m)
      panel_rows<1, T, add>(a + m * block.a_stride, block.a_stride, panel, block.depth, columns,
                            to + m * to_stride + n, to_stride);
  }
}

void multiply(const Block& block, const Destination& to) {
  if (to.dtype == base::DType::bf16)
    multiply_to<bf16, false>(block, reinterpret_cast<bf16*>(to.data), to.row_stride);
  else if (to.add)
    multiply_to<float, true>(block, reinterpret_cast<float*>(to.data), to.row_stride);
  else
    multiply_to<float, false>(block, reinterpret_cast<float*>(to.data), to.row_stride);
}

}  // namespace HWY_NAMESPACE
}  // namespace pleat::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pleat::kernels::cpu {
HWY_EXPORT(multiply);

void multiply_f32(const Block& block, const Destination& to) {
  HWY_DYNAMIC_DISPATCH(multiply)(block, to);
}

}  // namespace pleat::kernels::cpu
#endif
