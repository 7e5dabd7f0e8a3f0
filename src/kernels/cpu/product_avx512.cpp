// SPDX-License-Identifier: Apache-2.0
// The bf16 product with vdpbf16ps (8 rows x 32 columns of sums in registers) and with AMX tiles (32 x 32).
// Compiled for those instructions function by function; product.cpp calls them only where they exist.
#include <immintrin.h>
// GCC 12 calls the undefined vectors inside its own intrinsics uninitialised.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/product.h"

#define PLEAT_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define PLEAT_AMX \
  __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,amx-tile,amx-bf16,prfchw")))

namespace pleat::kernels::cpu {
namespace {

constexpr int64_t kRows = 8;
constexpr int64_t kHalf = 16;  // columns of a vector or of a tile
constexpr int64_t kNearBytes =
    24 << 10;  // of the nearest cache, for rows of A that meet one panel after the other

PLEAT_BF16 inline __mmask16 first_lanes(int64_t count) {
  return static_cast<__mmask16>(count >= kHalf ? 0xffffu : count <= 0 ? 0u : (1u << count) - 1u);
}

/// One row of finished sums, as two vectors, to columns [0, count) at `column`. The conversion to bf16
/// flushes subnormal numbers, but these products never give any: vdpbf16ps and tdpbf16ps flush them already.
PLEAT_BF16 inline void put(__m512 left, __m512 right, const Destination& to, int64_t row, int64_t column,
                           int64_t count) {
  const int64_t at = row * to.row_stride + column;
  if (to.dtype == base::DType::bf16) {
    const auto pair = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(right, left));
    const auto mask = static_cast<__mmask32>(count >= 32 ? 0xffffffffu : (1u << count) - 1u);
    _mm512_mask_storeu_epi16(to.data + at * 2, mask, pair);
    return;
  }
  auto* p = reinterpret_cast<float*>(to.data) + at;
  const __mmask16 first = first_lanes(count), second = first_lanes(count - kHalf);
  if (to.add) {
    left = _mm512_add_ps(_mm512_maskz_loadu_ps(first, p), left);
    right = _mm512_add_ps(_mm512_maskz_loadu_ps(second, p + kHalf), right);
  }
  _mm512_mask_storeu_ps(p, first, left);
  _mm512_mask_storeu_ps(p + kHalf, second, right);
}

template <int64_t R>
PLEAT_BF16 void rows_by_panel(const std::byte* a, int64_t a_bytes, const std::byte* panel, int64_t depth,
                              const Destination& to, int64_t row, int64_t column, int64_t columns) {
  __m512 left[R], right[R];
  for (int64_t r = 0; r < R; ++r) left[r] = right[r] = _mm512_setzero_ps();
  for (int64_t k = 0; k < depth; k += 2) {
    const __m512bh b0 = reinterpret_cast<__m512bh>(_mm512_loadu_si512(panel + k * 64));
    const __m512bh b1 = reinterpret_cast<__m512bh>(_mm512_loadu_si512(panel + k * 64 + 64));
    for (int64_t r = 0; r < R; ++r) {
      int pair;
      std::memcpy(&pair, a + r * a_bytes + k * 2, 4);
      const __m512bh x = reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
      left[r] = _mm512_dpbf16_ps(left[r], x, b0);
      right[r] = _mm512_dpbf16_ps(right[r], x, b1);
    }
  }
  for (int64_t r = 0; r < R; ++r) put(left[r], right[r], to, row + r, column, columns);
}

struct alignas(64) TileShapes {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

/// Tiles 0-3: sums (upper left, upper right, lower left, lower right); 4, 5: rows of A; 6, 7: columns of B.
PLEAT_AMX void shape_tiles(int64_t upper, int64_t lower) {
  TileShapes shapes;
  for (auto& bytes : shapes.row_bytes) bytes = 0;
  for (int tile = 0; tile < 8; ++tile) shapes.row_bytes[tile] = 64;
  const auto up = static_cast<uint8_t>(upper);
  const auto low = static_cast<uint8_t>(std::max<int64_t>(lower, 1));
  const uint8_t rows[8] = {up, up, low, low, up, low, 16, 16};
  std::memcpy(shapes.rows, rows, sizeof rows);
  // GCC's _tile_loadconfig names only the first word as read, and the other stores are then dropped.
  asm volatile("ldtilecfg %0" ::"m"(shapes));
}

/// Lines that the results of a later block will go to. They are asked for a few at a time: they pass through
/// the buffers that the tiles' own loads need, and a burst would fill those.
struct Ahead {
  uintptr_t row = 0;  // maybe beyond the end, good only to be asked for
  int64_t row_bytes = 0;
  int64_t lines = 0;  // of a row
  int64_t rows_a_step = 0;

  PLEAT_AMX void ask() {
    for (int64_t r = 0; r < rows_a_step; ++r, row += static_cast<uintptr_t>(row_bytes))
      for (int64_t line = 0; line < lines; ++line)
        __builtin_prefetch(reinterpret_cast<const void*>(row + static_cast<uintptr_t>(line * 64)), 1);
  }
};

PLEAT_AMX inline void sum_tiles(const std::byte* a, int64_t a_bytes, const std::byte* panel, int64_t depth,
                                bool lower, Ahead ahead) {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  const std::byte* below = a + 16 * a_bytes;
  for (int64_t k = 0; k < depth; k += kDepthStep) {
    ahead.ask();
    _tile_loadd(6, panel + k * 64, 128);
    _tile_loadd(7, panel + k * 64 + 64, 128);
    _tile_loadd(4, a + k * 2, a_bytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    if (lower) {
      _tile_loadd(5, below + k * 2, a_bytes);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
  }
}

/// Up to 32 rows times one panel, the tiles being shaped for them.
PLEAT_AMX inline void tiles_by_panel(const Block& block, const Destination& to, int64_t row, int64_t rows,
                                     int64_t column, const Ahead& ahead) {
  const int64_t columns = std::min(kPanelColumns, block.columns - column);
  const bool lower = rows > 16;
  sum_tiles(block.a + row * block.a_stride * 2, block.a_stride * 2, block.panels + column * block.depth * 2,
            block.depth, lower, ahead);
  if (to.dtype == base::DType::f32 && !to.add && columns == kPanelColumns) {
    auto* p = reinterpret_cast<float*>(to.data) + row * to.row_stride + column;
    _tile_stored(0, p, to.row_stride * 4);
    _tile_stored(1, p + 16, to.row_stride * 4);
    if (lower) {
      _tile_stored(2, p + 16 * to.row_stride, to.row_stride * 4);
      _tile_stored(3, p + 16 * to.row_stride + 16, to.row_stride * 4);
    }
    return;
  }
  alignas(64) float sums[32 * 32];
  _tile_stored(0, sums, 128);
  _tile_stored(1, sums + 16, 128);
  if (lower) {
    _tile_stored(2, sums + 512, 128);
    _tile_stored(3, sums + 528, 128);
  }
  for (int64_t r = 0; r < rows; ++r)
    put(_mm512_load_ps(sums + r * 32), _mm512_load_ps(sums + r * 32 + 16), to, row + r, column, columns);
}

}  // namespace

PLEAT_BF16 void multiply_avx512_bf16(const Block& block, const Destination& to) {
  const int64_t a_bytes = block.a_stride * 2;
  for (int64_t n = 0; n < block.columns; n += kPanelColumns) {
    const std::byte* panel = block.panels + n * block.depth * 2;
    const int64_t columns = std::min(kPanelColumns, block.columns - n);
    int64_t m = 0;
    for (; m + kRows <= block.rows; m += kRows)
      rows_by_panel<kRows>(block.a + m * a_bytes, a_bytes, panel, block.depth, to, m, n, columns);
    for (; m + 2 <= block.rows; m += 2)
      rows_by_panel<2>(block.a + m * a_bytes, a_bytes, panel, block.depth, to, m, n, columns);
    for (; m < block.rows; ++m)
      rows_by_panel<1>(block.a + m * a_bytes, a_bytes, panel, block.depth, to, m, n, columns);
  }
}

PLEAT_AMX void multiply_amx(const Block& block, const Destination& to) {
  const int64_t whole = block.rows / 32 * 32;
  const int64_t group = std::max<int64_t>(1, kNearBytes / (64 * std::max<int64_t>(block.depth, 1))) * 32;
  const int64_t element = base::size_of(to.dtype), steps = std::max<int64_t>(block.depth / kDepthStep, 1);
  Ahead ahead{0, to.row_stride * element, kPanelColumns * element / 64,
              to.near ? 0 : (32 + steps - 1) / steps};
  for (int64_t first = 0; first < whole; first += group) {
    const int64_t last = std::min(first + group, whole);
    for (int64_t n = 0; n < block.columns; n += kPanelColumns)
      for (int64_t m = first; m < last; m += 32) {
        const bool panel_ends = m + 32 == last, group_ends = panel_ends && n + kPanelColumns >= block.columns;
        const int64_t next_row = panel_ends && !group_ends ? first : m + 32;
        const int64_t next_column = group_ends ? 0 : panel_ends ? n + kPanelColumns : n;
        ahead.row = reinterpret_cast<uintptr_t>(to.data) +
                    static_cast<uintptr_t>((next_row * to.row_stride + next_column) * element);
        tiles_by_panel(block, to, m, 32, n, ahead);
      }
  }
  const int64_t left = block.rows - whole;
  if (left == 0) return;
  shape_tiles(std::min<int64_t>(left, 16), left - 16);
  for (int64_t n = 0; n < block.columns; n += kPanelColumns) tiles_by_panel(block, to, whole, left, n, {});
  shape_tiles(16, 16);
}

PLEAT_AMX void hold_tiles() {
  shape_tiles(16, 16);
}

PLEAT_AMX void release_tiles() {
  _tile_release();
}

}  // namespace pleat::kernels::cpu
