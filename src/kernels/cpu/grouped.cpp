// SPDX-License-Identifier: Apache-2.0
// grouped_matmul and grouped_outer: one product per expert over its rows, whose number is known only at run
// time. The product takes any number of rows, so nothing is bound per count; padding between experts is not
// touched.
#include <algorithm>

#include "kernels/cpu/expert_rows.h"
#include "kernels/cpu/make.h"
#include "kernels/cpu/tile.h"

namespace pleat::kernels::cpu {
namespace {

constexpr int64_t kMatmulRows = 12 * kRowBlock;
constexpr int64_t kOuterRows = 3 * kRowBlock;
constexpr int64_t kOuterColumns = 512;

struct MatmulShape {
  explicit MatmulShape(const Signature& s)
      : rows(s.reads[0].shape[0]), depth(s.reads[0].shape[1]), columns(s.writes[0].shape[1]) {}
  int64_t rows, depth, columns;
  /// As many as leave the packed panels room near the core: rows come from far away once for each tile.
  int64_t tile_columns() const { return depth > 512 ? 256 : 768; }
  int64_t scratch() const {
    return tile_scratch_bytes(std::min(rows, kMatmulRows), std::min(columns, tile_columns()), depth);
  }
};

struct OuterShape {
  explicit OuterShape(const Signature& s)
      : depth(s.reads[0].shape[0]), rows(s.reads[0].shape[1]), columns(s.reads[1].shape[1]) {}
  int64_t depth, rows, columns;
  int64_t scratch() const {
    return tile_scratch_bytes(std::min(rows, kOuterRows), std::min(columns, kOuterColumns), depth);
  }
};

int64_t tiles(int64_t size, int64_t step) {
  return (size + step - 1) / step;
}

}  // namespace

int64_t grouped_matmul_workspace(const Signature& s, int team_size) {
  return MatmulShape(s).scratch() * team_size;
}

KernelPtr make_grouped_matmul(const Signature& s, int) {
  const MatmulShape shape(s);
  const Product product(s.reads[0].dtype);
  const ExpertRows experts(s.reads[2], s.attributes.integer("tile"), shape.rows);
  const Matrix x{nullptr, s.reads[0].dtype, s.reads[0].row_stride, false};
  const bool turned = s.attributes.integer_or("transpose_b", 0) != 0;
  const Matrix w{nullptr, s.reads[1].dtype, s.reads[1].shape[2], turned};
  const int64_t w_bytes = s.reads[1].row_stride * base::size_of(w.dtype);
  const Destination y{nullptr, s.writes[0].dtype, s.writes[0].row_stride, false};
  return make_kernel([=](const Call& call, Team& team) {
    const auto* counts = reinterpret_cast<const int32_t*>(call.reads[2]);
    const int64_t step = shape.tile_columns(), column_tiles = tiles(shape.columns, step);
    team.run(experts.experts() * column_tiles, [&](int64_t index, int worker) {
      const int64_t expert = index / column_tiles;
      const RowRange range = experts.of(counts, expert);
      Tile tile;
      tile.column = index % column_tiles * step;
      tile.columns = std::min(step, shape.columns - tile.column);
      tile.depth = shape.depth;
      tile.a = x;
      tile.a.data = call.reads[0];
      tile.b = w;
      tile.b.data = call.reads[1] + expert * w_bytes;
      tile.to = y;
      for (tile.row = range.begin; tile.row < range.end; tile.row += kMatmulRows) {
        tile.rows = std::min(kMatmulRows, range.end - tile.row);
        tile.to.data = call.writes[0] + (tile.row * y.row_stride + tile.column) * base::size_of(y.dtype);
        compute_tile(product, tile, call.workspace + worker * shape.scratch());
      }
    });
  });
}

int64_t grouped_outer_workspace(const Signature& s, int team_size) {
  return OuterShape(s).scratch() * team_size;
}

KernelPtr make_grouped_outer(const Signature& s, int) {
  const OuterShape shape(s);
  const Product product(s.reads[0].dtype);
  const ExpertRows experts(s.reads[2], s.attributes.integer("tile"), shape.depth);
  const Matrix dy{nullptr, s.reads[0].dtype, s.reads[0].row_stride, true};
  const Matrix x{nullptr, s.reads[1].dtype, s.reads[1].row_stride, false};
  const int64_t dw_stride = s.writes[0].row_stride;
  const bool accumulate = accumulates(s, 0);
  return make_kernel([=](const Call& call, Team& team) {
    const auto* counts = reinterpret_cast<const int32_t*>(call.reads[2]);
    const int64_t row_tiles = tiles(shape.rows, kOuterRows);
    const int64_t column_tiles = tiles(shape.columns, kOuterColumns);
    team.run(experts.experts() * row_tiles * column_tiles, [&](int64_t index, int worker) {
      const int64_t expert = index / (row_tiles * column_tiles);
      const RowRange range = experts.of(counts, expert);
      Tile tile;
      tile.row = index / column_tiles % row_tiles * kOuterRows;
      tile.column = index % column_tiles * kOuterColumns;
      tile.rows = std::min(kOuterRows, shape.rows - tile.row);
      tile.columns = std::min(kOuterColumns, shape.columns - tile.column);
      tile.depth = range.end - range.begin;
      tile.a = dy;
      tile.a.data = call.reads[0] + range.begin * dy.row_stride * base::size_of(dy.dtype);
      tile.b = x;
      tile.b.data = call.reads[1] + range.begin * x.row_stride * base::size_of(x.dtype);
      const int64_t at = expert * dw_stride + tile.row * shape.columns + tile.column;
      tile.to = {call.writes[0] + at * 4, base::DType::f32, shape.columns, accumulate && !call.first};
      compute_tile(product, tile, call.workspace + worker * shape.scratch());
    });
  });
}

}  // namespace pleat::kernels::cpu
