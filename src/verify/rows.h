// SPDX-License-Identifier: Apache-2.0
// Sets of bytes as rows at a stride: what a region covers, exactly. Columns of a matrix (views of split and
// concat) do not overlap although their extents do.
#pragma once
#include <cstdint>
#include <vector>

#include "program/program.h"

namespace pleat::verify {

struct Rows {
  int64_t begin = 0;
  int64_t width = 0;   // bytes of a row
  int64_t stride = 0;  // bytes from row to row; a single row has its width
  int64_t count = 1;

  int64_t end() const { return begin + (count - 1) * stride + width; }
  int64_t bytes() const { return count * width; }
  bool empty() const { return width == 0 || count == 0; }
  bool operator==(const Rows&) const = default;
};

/// One row where the rows touch each other.
Rows make_rows(int64_t begin, int64_t width, int64_t stride, int64_t count);
/// What `region` covers when it starts `base` bytes further.
Rows rows_of(const program::Region& region, int64_t base);

/// Appends the parts of `a` that are in `b`, and those that are not.
void cut(const Rows& a, const Rows& b, std::vector<Rows>& inside, std::vector<Rows>& outside);

}  // namespace pleat::verify
