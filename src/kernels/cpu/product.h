// SPDX-License-Identifier: Apache-2.0
// The one product under matmul, grouped_matmul, grouped_outer and attention: rows of A times packed panels of
// B. An element of the result is one chain of fused multiply-adds in the order of depth, begun at zero: its
// bits depend on its own row and column alone, so a row gives the same result alone, among others, and at any
// position.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/dtype.h"

namespace pleat::kernels::cpu {

/// How operands are multiplied: bf16 only where the processor has such instructions; else they become fp32.
enum class Form : uint8_t { f32, bf16 };
inline constexpr int64_t kPanelColumns = 32;
/// Depth of a bf16 product is padded with zeros to a multiple of this; fp32 depth is not padded.
inline constexpr int64_t kDepthStep = 32;

enum class Instructions : uint8_t { simd, avx512_bf16, amx };
inline constexpr std::string_view kInstructionNames[] = {"vectors of fp32", "avx512_bf16", "amx_bf16"};

/// A matrix in memory; element (i, j) lies at i * row_stride + j, or at j * row_stride + i when transposed.
struct Matrix {
  const std::byte* data = nullptr;
  base::DType dtype = base::DType::f32;
  int64_t row_stride = 0;
  bool transposed = false;
};

struct Destination {
  std::byte* data = nullptr;
  base::DType dtype = base::DType::f32;
  int64_t row_stride = 0;
  bool add = false;   // add the finished sums to what is there, instead of storing them (fp32 only)
  bool near = false;  // it lies in the nearest caches: nothing has to be asked for early
};

/// `depth` is padded, `a` is row-major in the product's form, `panels` lie one after the other.
struct Block {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t depth = 0;
  const std::byte* a = nullptr;
  int64_t a_stride = 0;  // elements
  const std::byte* panels = nullptr;
};

/// The product as this processor does it, chosen once at bind.
class Product {
 public:
  /// The fastest for operands of this dtype, using nothing beyond `limit`.
  explicit Product(base::DType operands, Instructions limit = Instructions::amx);

  Form form() const { return form_; }
  Instructions instructions() const { return instructions_; }
  int64_t element_bytes() const { return form_ == Form::bf16 ? 2 : 4; }
  int64_t padded(int64_t depth) const {
    return form_ == Form::bf16 ? (depth + kDepthStep - 1) / kDepthStep * kDepthStep : depth;
  }
  int64_t panel_bytes(int64_t depth) const { return padded(depth) * kPanelColumns * element_bytes(); }
  /// Whether rows of `a` can be multiplied where they lie.
  bool reads_in_place(const Matrix& a, int64_t depth) const {
    return !a.transposed && padded(depth) == depth && (a.dtype == base::DType::bf16) == (form_ == Form::bf16);
  }

  /// Packs columns [column, column + columns) of a matrix with `depth` rows into panels of 32; zeros beyond.
  void pack_panels(const Matrix& b, int64_t depth, int64_t column, int64_t columns, std::byte* panels) const;
  /// Elements from one packed row to the next: an odd number of cache lines, so that rows do not fall on one
  /// another in the cache when depth is a power of two.
  int64_t packed_stride(int64_t depth) const {
    const int64_t line = 64 / element_bytes();
    return ((padded(depth) + line - 1) / line | 1) * line;
  }
  /// Bytes of a packed row, in either form.
  static constexpr int64_t packed_row_bytes(int64_t depth) {
    return (((depth + kDepthStep) * 4 + 63) / 64 | 1) * 64;
  }
  /// Packs rows [row, row + rows) to row-major [rows, packed_stride(depth)]; zeros beyond depth up to
  /// padded(depth).
  void pack_rows(const Matrix& a, int64_t row, int64_t rows, int64_t depth, std::byte* packed) const;
  /// Inside a TileScope of the calling thread.
  void multiply(const Block& block, const Destination& to) const { multiply_(block, to); }

 private:
  friend class TileScope;
  using Multiply = void (*)(const Block&, const Destination&);
  Form form_ = Form::f32;
  Instructions instructions_ = Instructions::simd;
  Multiply multiply_ = nullptr;
};

/// Holds the processor's matrix tiles for one task on one thread; nothing where there are none.
class TileScope {
 public:
  explicit TileScope(const Product& product);
  ~TileScope();
  TileScope(const TileScope&) = delete;
  TileScope& operator=(const TileScope&) = delete;

 private:
  bool held_ = false;
};

/// The best instructions of this processor.
Instructions best_instructions();

/// Implementations, one per file.
void multiply_f32(const Block& block, const Destination& to);
void multiply_avx512_bf16(const Block& block, const Destination& to);
void multiply_amx(const Block& block, const Destination& to);
void hold_tiles();
void release_tiles();

}  // namespace pleat::kernels::cpu
