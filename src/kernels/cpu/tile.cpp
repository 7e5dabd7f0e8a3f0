// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/tile.h"

#include <algorithm>
#include <cstring>

namespace pleat::kernels::cpu {
namespace {

struct Scratch {
  std::byte* panels;
  std::byte* rows;
  float* sums;
};

Scratch carve(std::byte* scratch, const Product& product, const Tile& tile) {
  const int64_t chunk = std::min(tile.depth, kDepthChunk);
  const int64_t panels = round_up(tile.columns, kPanelColumns) / kPanelColumns * product.panel_bytes(chunk);
  const int64_t rows = std::min(tile.rows, kRowBlock) * Product::packed_row_bytes(chunk);
  return {scratch, scratch + panels, reinterpret_cast<float*>(scratch + panels + rows)};
}

/// The part of a matrix that begins at this depth.
Matrix from_depth(Matrix m, int64_t depth, bool depth_is_slow) {
  m.data += depth * (depth_is_slow ? m.row_stride : 1) * base::size_of(m.dtype);
  return m;
}

void multiply_chunk(const Product& product, const Tile& tile, int64_t first, int64_t depth,
                    const Scratch& scratch, const Destination& to) {
  const Matrix b = from_depth(tile.b, first, !tile.b.transposed);
  product.pack_panels(b, depth, tile.column, tile.columns, scratch.panels);
  const Matrix a = from_depth(tile.a, first, tile.a.transposed);
  const bool in_place = product.reads_in_place(a, depth);
  for (int64_t m = 0; m < tile.rows; m += kRowBlock) {
    const int64_t rows = std::min(kRowBlock, tile.rows - m);
    Block block{
        rows,          tile.columns, product.padded(depth), scratch.rows, product.packed_stride(depth),
        scratch.panels};
    if (in_place) {
      block.a = a.data + (tile.row + m) * a.row_stride * base::size_of(a.dtype);
      block.a_stride = a.row_stride;
    } else {
      product.pack_rows(a, tile.row + m, rows, depth, scratch.rows);
    }
    Destination part = to;
    part.data += m * to.row_stride * base::size_of(to.dtype);
    product.multiply(block, part);
  }
}

void finish(const float* sums, const Tile& tile) {
  for (int64_t r = 0; r < tile.rows; ++r) {
    const float* from = sums + r * tile.columns;
    std::byte* row = tile.to.data + r * tile.to.row_stride * base::size_of(tile.to.dtype);
    if (tile.to.dtype == base::DType::bf16) {
      auto* to = reinterpret_cast<base::bf16*>(row);
      for (int64_t c = 0; c < tile.columns; ++c) to[c] = base::bf16(from[c]);
    } else {
      auto* to = reinterpret_cast<float*>(row);
      for (int64_t c = 0; c < tile.columns; ++c) to[c] += from[c];
    }
  }
}

}  // namespace

void compute_tile(const Product& product, const Tile& tile, std::byte* scratch) {
  if (tile.rows == 0 || tile.columns == 0) return;
  const TileScope scope(product);
  const Scratch parts = carve(scratch, product, tile);
  if (tile.depth <= kDepthChunk) return multiply_chunk(product, tile, 0, tile.depth, parts, tile.to);
  const bool direct = tile.to.dtype == base::DType::f32 && !tile.to.add;
  Destination sums{reinterpret_cast<std::byte*>(parts.sums), base::DType::f32, tile.columns, false};
  if (direct) sums = tile.to;
  for (int64_t first = 0; first < tile.depth; first += kDepthChunk) {
    sums.add = first > 0;
    multiply_chunk(product, tile, first, std::min(kDepthChunk, tile.depth - first), parts, sums);
  }
  if (!direct) finish(parts.sums, tile);
}

int64_t tile_scratch_bytes(int64_t rows, int64_t columns, int64_t depth) {
  const int64_t chunk = std::min(depth, kDepthChunk);
  const int64_t panels = round_up(columns, kPanelColumns) * round_up(chunk, kDepthStep) * 4;
  const int64_t packed = std::min(rows, kRowBlock) * Product::packed_row_bytes(chunk);
  const int64_t sums = depth > kDepthChunk ? round_up(rows * columns * 4, 64) : 0;
  return panels + packed + sums;
}

}  // namespace pleat::kernels::cpu
