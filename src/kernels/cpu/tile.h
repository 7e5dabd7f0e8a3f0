// SPDX-License-Identifier: Apache-2.0
// One task of a product: a tile of the result, computed by one worker from operands as they lie in memory. It
// packs what it needs into the worker's scratch, chunk of depth by chunk of depth; the chunks depend on the
// depth alone.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/cpu/product.h"

namespace pleat::kernels::cpu {

inline constexpr int64_t kDepthChunk = 1024;  // longer sums are added up chunk by chunk
inline constexpr int64_t kRowBlock = 96;      // rows of A packed at a time: whole blocks of every product

struct Tile {
  Matrix a;
  int64_t row = 0;  // first row of A; the destination already points at it
  int64_t rows = 0;
  Matrix b;
  int64_t column = 0;  // first column of B; the destination already points at it
  int64_t columns = 0;
  int64_t depth = 0;
  Destination to;
};

/// Computes the tile. `scratch` is the worker's, 64-byte aligned, of tile_scratch_bytes.
void compute_tile(const Product& product, const Tile& tile, std::byte* scratch);

/// Bytes for tiles of at most these sizes, in either form.
int64_t tile_scratch_bytes(int64_t rows, int64_t columns, int64_t depth);

constexpr int64_t round_up(int64_t x, int64_t step) {
  return (x + step - 1) / step * step;
}

}  // namespace pleat::kernels::cpu
