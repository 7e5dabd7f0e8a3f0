// SPDX-License-Identifier: Apache-2.0
// Where each expert's rows lie in an expert buffer (docs/operations.md, "Expert rows").
#pragma once
#include <algorithm>
#include <cstdint>

#include "tensor/view.h"

namespace pleat::kernels::ref {

/// counts [P,E]: the rows of an expert, from all sources.
inline int64_t rows_of(const tensor::View& counts, int64_t expert) {
  int64_t rows = 0;
  for (int64_t p = 0; p < counts.rows(); ++p) rows += counts.integer(p, expert);
  return rows;
}

/// body(expert, begin, end) for every expert in order, clamped at `bound` rows.
template <class Body>
void for_each_expert(const tensor::View& counts, int64_t tile, int64_t bound, Body body) {
  int64_t start = 0;
  for (int64_t expert = 0; expert < counts.columns(); ++expert) {
    const int64_t rows = rows_of(counts, expert);
    body(expert, std::min(start, bound), std::min(start + rows, bound));
    start += (rows + tile - 1) / tile * tile;
  }
}

}  // namespace pleat::kernels::ref
