// SPDX-License-Identifier: Apache-2.0
// Where each expert's rows lie in an expert buffer (docs/operations.md, Expert rows).
#pragma once
#include <algorithm>
#include <cstdint>

#include "graph/signature.h"
#include "kernels/cpu/tile.h"

namespace pleat::kernels::cpu {

struct RowRange {
  int64_t begin = 0;
  int64_t end = 0;
};

/// The layout of an expert buffer, read from the counts of the moment.
class ExpertRows {
 public:
  ExpertRows(const graph::OperandType& counts, int64_t tile, int64_t bound)
      : sources_(counts.shape.dims() == 2 ? counts.shape[0] : 1),
        experts_(counts.shape[counts.shape.dims() - 1]),
        stride_(counts.shape.dims() == 2 ? counts.row_stride : experts_),
        tile_(tile),
        bound_(bound) {}

  int64_t experts() const { return experts_; }

  RowRange of(const int32_t* counts, int64_t expert) const {
    int64_t start = 0;
    for (int64_t e = 0; e < expert; ++e) start += round_up(count(counts, e), tile_);
    return {std::min(start, bound_), std::min(start + count(counts, expert), bound_)};
  }

  /// body(expert, range) for every expert in order.
  template <class Body>
  void for_each(const int32_t* counts, Body&& body) const {
    int64_t start = 0;
    for (int64_t e = 0; e < experts_; ++e) {
      const int64_t rows = count(counts, e);
      body(e, RowRange{std::min(start, bound_), std::min(start + rows, bound_)});
      start += round_up(rows, tile_);
    }
  }

 private:
  int64_t count(const int32_t* counts, int64_t expert) const {
    int64_t sum = 0;
    for (int64_t p = 0; p < sources_; ++p) sum += counts[p * stride_ + expert];
    return sum;
  }
  int64_t sources_, experts_, stride_, tile_, bound_;
};

}  // namespace pleat::kernels::cpu
