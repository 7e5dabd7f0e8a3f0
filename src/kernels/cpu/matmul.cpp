// SPDX-License-Identifier: Apache-2.0
// matmul: y = op(a) op(b), cut into tiles by the shape of y. A row of y depends on N and K only, never on M.
#include <algorithm>

#include "kernels/cpu/make.h"
#include "kernels/cpu/tile.h"

namespace pleat::kernels::cpu {
namespace {

struct Plan {
  int64_t m, n, k;
  int64_t tile_rows, tile_columns;
  int64_t row_tiles() const { return (m + tile_rows - 1) / tile_rows; }
  int64_t column_tiles() const { return (n + tile_columns - 1) / tile_columns; }
  int64_t scratch() const { return tile_scratch_bytes(std::min(tile_rows, m), std::min(tile_columns, n), k); }
};

/// Packing B costs about a hundred rows' worth of products, so a tile takes many rows; and as many columns as
/// leave several tiles, since A comes from far away once for each. Where A has to be turned as well (weight
/// gradients), the tile is about square.
Plan plan_of(const Signature& s) {
  const bool turned = s.attributes.integer_or("transpose_a", 0) != 0;
  const auto& a = s.reads[0].shape;
  const auto& y = s.writes[0].shape;
  Plan plan{y[0], y[1], turned ? a[0] : a[1], 24 * kRowBlock, 256};
  if (turned) {
    plan.tile_rows = 3 * kRowBlock;
    plan.tile_columns = 512;
  } else {
    plan.tile_columns = plan.n >= 2048  ? 384
                        : plan.n >= 512 ? 256
                        : plan.n >= 256 ? 128
                        : plan.n >= 128 ? 64
                                        : 32;
  }
  return plan;
}

}  // namespace

int64_t matmul_workspace(const Signature& signature, int team_size) {
  return plan_of(signature).scratch() * team_size;
}

KernelPtr make_matmul(const Signature& s, int) {
  const Plan plan = plan_of(s);
  // Mixed operands are multiplied in fp32.
  const bool both = s.reads[0].dtype == s.reads[1].dtype;
  const Product product(both ? s.reads[0].dtype : base::DType::f32);
  const Matrix a{nullptr, s.reads[0].dtype, s.reads[0].row_stride,
                 s.attributes.integer_or("transpose_a", 0) != 0};
  const Matrix b{nullptr, s.reads[1].dtype, s.reads[1].row_stride,
                 s.attributes.integer_or("transpose_b", 0) != 0};
  const Destination y{nullptr, s.writes[0].dtype, s.writes[0].row_stride, false};
  const bool accumulate = accumulates(s, 0);
  return make_kernel([=](const Call& call, Team& team) {
    const int64_t columns = plan.column_tiles();
    team.run(columns * plan.row_tiles(), [&](int64_t index, int worker) {
      Tile tile;
      tile.row = index / columns * plan.tile_rows;
      tile.column = index % columns * plan.tile_columns;
      tile.rows = std::min(plan.tile_rows, plan.m - tile.row);
      tile.columns = std::min(plan.tile_columns, plan.n - tile.column);
      tile.depth = plan.k;
      tile.a = a;
      tile.a.data = call.reads[0];
      tile.b = b;
      tile.b.data = call.reads[1];
      tile.to = y;
      tile.to.data = call.writes[0] + (tile.row * y.row_stride + tile.column) * base::size_of(y.dtype);
      tile.to.add = accumulate && !call.first;
      compute_tile(product, tile, call.workspace + worker * plan.scratch());
    });
  });
}

}  // namespace pleat::kernels::cpu
