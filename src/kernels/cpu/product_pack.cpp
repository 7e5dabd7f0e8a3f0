// SPDX-License-Identifier: Apache-2.0
// Packing of operands. The unit is a 32-bit word: one fp32 number, or the two bf16 numbers of depths 2w and
// 2w + 1. A panel is words [depth][32 columns], packed rows are words [rows][depth]; so each source is either
// copied by rows of words or transposed, in blocks of 32 x 32 words.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/product_pack.cpp"
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

inline constexpr int64_t kSide = kPanelColumns;
using Words = uint32_t[kSide * kSide];

struct Source {
  Matrix matrix;
  Form form;
  int64_t depth;       // unpadded
  int64_t words;       // of the padded depth
  int64_t stride = 0;  // words from one packed row to the next
  int64_t whole_words() const { return form == Form::bf16 ? depth / 2 : depth; }
  bool raw() const { return (form == Form::bf16) == (matrix.dtype == base::DType::bf16); }
};

/// fp32 numbers from a row of the source, zeros beyond `count`.
HWY_INLINE void read_numbers(const Source& s, const std::byte* row, int64_t first, int64_t count,
                             int64_t total, uint32_t* words) {
  if (s.matrix.dtype == base::DType::f32) {
    if (count > 0) std::memcpy(words, row + first * 4, static_cast<size_t>(count) * 4);
  } else {
    const auto* from = reinterpret_cast<const uint16_t*>(row) + first;
    for (int64_t i = 0; i < count; ++i) words[i] = static_cast<uint32_t>(from[i]) << 16;
  }
  std::fill(words + std::max<int64_t>(count, 0), words + total, 0u);
}

/// Words [word, word + total) of one row whose depth is contiguous.
HWY_INLINE void read_along_depth(const Source& s, int64_t row, int64_t word, int64_t total, uint32_t* words) {
  const std::byte* from = s.matrix.data + row * s.matrix.row_stride * base::size_of(s.matrix.dtype);
  if (s.form == Form::f32) {
    read_numbers(s, from, word, std::min(total, s.depth - word), total, words);
    return;
  }
  const int64_t numbers = std::clamp<int64_t>(s.depth - 2 * word, 0, 2 * total);
  if (numbers < 2 * total) std::fill(words, words + total, 0u);
  std::memcpy(words, from + word * 4, static_cast<size_t>(numbers) * 2);
}

/// Word `word` of 32 neighbouring columns where depth is the slow dim and nothing is missing.
HWY_INLINE void read_whole_across(const Source& s, int64_t word, int64_t first, uint32_t* words) {
  const int64_t bytes = s.matrix.row_stride * base::size_of(s.matrix.dtype);
  if (s.form == Form::f32) {
    const auto* from = reinterpret_cast<const uint32_t*>(s.matrix.data + word * bytes) + first;
    for (int64_t i = 0; i < kSide; i += lanes()) hn::StoreU(hn::LoadU(kU, from + i), kU, words + i);
    return;
  }
  const auto* even = reinterpret_cast<const uint16_t*>(s.matrix.data + 2 * word * bytes) + first;
  const auto* odd = reinterpret_cast<const uint16_t*>(s.matrix.data + (2 * word + 1) * bytes) + first;
  for (int64_t i = 0; i < kSide; i += lanes()) {
    const auto low = hn::PromoteTo(kU, hn::LoadU(kH, even + i));
    const auto high = hn::PromoteTo(kU, hn::LoadU(kH, odd + i));
    hn::StoreU(hn::Or(low, hn::ShiftLeft<16>(high)), kU, words + i);
  }
}

/// The same for `count` columns, at the edges and with conversion; zeros up to 32.
HWY_NOINLINE void read_part_across(const Source& s, int64_t word, int64_t first, int64_t count,
                                   uint32_t* words) {
  const int64_t bytes = s.matrix.row_stride * base::size_of(s.matrix.dtype);
  if (s.form == Form::f32) {
    const bool inside = word < s.depth;
    read_numbers(s, s.matrix.data + word * bytes, first, inside ? count : 0, kSide, words);
    return;
  }
  const auto* even = reinterpret_cast<const uint16_t*>(s.matrix.data + 2 * word * bytes) + first;
  const auto* odd = reinterpret_cast<const uint16_t*>(s.matrix.data + (2 * word + 1) * bytes) + first;
  std::fill(words, words + kSide, 0u);
  if (2 * word + 1 < s.depth)
    for (int64_t i = 0; i < count; ++i) words[i] = even[i] | static_cast<uint32_t>(odd[i]) << 16;
  else if (2 * word < s.depth)
    for (int64_t i = 0; i < count; ++i) words[i] = even[i];
}

HWY_INLINE void read_across_depth(const Source& s, int64_t word, int64_t first, int64_t count,
                                  uint32_t* words) {
  if (s.raw() && count == kSide && word < s.whole_words())
    read_whole_across(s, word, first, words);
  else
    read_part_across(s, word, first, count, words);
}

/// B as stored [columns][depth]: blocks of words transposed into the panel.
HWY_INLINE void pack_panel_turned(const Source& s, int64_t column, int64_t columns, uint32_t* panel) {
  const int64_t bytes = s.matrix.row_stride * base::size_of(s.matrix.dtype);
  for (int64_t word = 0; word < s.words; word += kSide) {
    const int64_t count = std::min(kSide, s.words - word);
    if (s.raw() && columns == kSide && word + count <= s.whole_words() && count % 4 == 0) {
      transpose_words(s.matrix.data + column * bytes + word * 4, bytes, kSide, count, panel + word * kSide,
                      kSide);
      continue;
    }
    HWY_ALIGN Words block;
    HWY_ALIGN Words turned;
    for (int64_t n = 0; n < kSide; ++n) {
      if (n < columns)
        read_along_depth(s, column + n, word, count, block + n * kSide);
      else
        std::fill(block + n * kSide, block + (n + 1) * kSide, 0u);
      std::fill(block + n * kSide + count, block + (n + 1) * kSide, 0u);
    }
    transpose_words(reinterpret_cast<const std::byte*>(block), kSide * 4, kSide, kSide, turned, kSide);
    std::memcpy(panel + word * kSide, turned, static_cast<size_t>(count * kSide) * 4);
  }
}

/// A as stored [depth][rows]: blocks of words transposed into rows.
HWY_INLINE void pack_rows_turned(const Source& s, int64_t row, int64_t rows, uint32_t* packed) {
  for (int64_t m = 0; m < rows; m += kSide)
    for (int64_t word = 0; word < s.words; word += kSide) {
      const int64_t count = std::min(kSide, s.words - word);
      const int64_t wide = std::min(kSide, rows - m);
      HWY_ALIGN Words block;
      for (int64_t w = 0; w < count; ++w) read_across_depth(s, word + w, row + m, wide, block + w * kSide);
      const auto* from = reinterpret_cast<const std::byte*>(block);
      if (count % 4 == 0 && wide % 4 == 0) {
        transpose_words(from, kSide * 4, count, wide, packed + m * s.stride + word, s.stride);
        continue;
      }
      std::fill(block + count * kSide, block + kSide * kSide, 0u);
      HWY_ALIGN Words turned;
      transpose_words(from, kSide * 4, kSide, kSide, turned, kSide);
      for (int64_t i = 0; i < wide; ++i)
        std::memcpy(packed + (m + i) * s.stride + word, turned + i * kSide, static_cast<size_t>(count) * 4);
    }
}

/// Word by word over all panels, so that the rows of B are read as they lie.
void pack_panels(const Matrix& b, Form form, int64_t depth, int64_t words, int64_t column, int64_t columns,
                 uint32_t* panels) {
  const Source s{b, form, depth, words};
  if (b.transposed) {
    for (int64_t n = 0; n < columns; n += kSide)
      pack_panel_turned(s, column + n, std::min(kSide, columns - n), panels + n * words);
    return;
  }
  for (int64_t word = 0; word < words; ++word)
    for (int64_t n = 0; n < columns; n += kSide)
      read_across_depth(s, word, column + n, std::min(kSide, columns - n), panels + n * words + word * kSide);
}

void pack_rows(const Matrix& a, Form form, int64_t depth, int64_t words, int64_t stride, int64_t row,
               int64_t rows, uint32_t* packed) {
  const Source s{a, form, depth, words, stride};
  if (a.transposed) return pack_rows_turned(s, row, rows, packed);
  for (int64_t m = 0; m < rows; ++m) read_along_depth(s, row + m, 0, s.words, packed + m * s.stride);
}

}  // namespace HWY_NAMESPACE
}  // namespace pleat::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pleat::kernels::cpu {
HWY_EXPORT(pack_panels);
HWY_EXPORT(pack_rows);

void Product::pack_panels(const Matrix& b, int64_t depth, int64_t column, int64_t columns,
                          std::byte* panels) const {
  const int64_t words = padded(depth) * element_bytes() / 4;
  HWY_DYNAMIC_DISPATCH(pack_panels)
  (b, form_, depth, words, column, columns, reinterpret_cast<uint32_t*>(panels));
}

void Product::pack_rows(const Matrix& a, int64_t row, int64_t rows, int64_t depth, std::byte* packed) const {
  const int64_t words = padded(depth) * element_bytes() / 4;
  HWY_DYNAMIC_DISPATCH(pack_rows)
  (a, form_, depth, words, packed_stride(depth) * element_bytes() / 4, row, rows,
   reinterpret_cast<uint32_t*>(packed));
}

}  // namespace pleat::kernels::cpu
#endif
