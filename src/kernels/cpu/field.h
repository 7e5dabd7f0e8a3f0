// SPDX-License-Identifier: Apache-2.0
// An operand seen as rows, and how rows are cut into tasks: by shape alone.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "graph/signature.h"
#include "kernels/team.h"

namespace pleat::kernels::cpu {

struct Field {
  std::byte* data = nullptr;
  base::DType dtype = base::DType::f32;
  int64_t stride = 0;  // elements from row to row

  Field() = default;
  Field(const graph::OperandType& type, std::byte* bytes)
      : data(bytes), dtype(type.dtype), stride(type.row_stride) {}

  bool is_bf16() const { return dtype == base::DType::bf16; }
  template <class T>
  T* row(int64_t index) const {
    return reinterpret_cast<T*>(data) + index * stride;
  }
};

/// A task touches about this many elements: long enough to hide its start, short enough to stay in a core's
/// cache.
inline constexpr int64_t kTaskElements = 16384;

/// body(begin, end, worker) over blocks of rows.
template <class Body>
void for_rows(Team& team, int64_t rows, int64_t width, Body&& body) {
  const int64_t block = std::max<int64_t>(1, kTaskElements / std::max<int64_t>(1, width));
  team.run((rows + block - 1) / block, [&](int64_t index, int worker) {
    body(index * block, std::min(rows, (index + 1) * block), worker);
  });
}

/// The fixed blocks of a sum over rows; each block's sums are stored and then added in order.
struct Blocks {
  explicit Blocks(int64_t rows)
      : size(std::max<int64_t>(64, (rows + 63) / 64)), count((rows + size - 1) / size) {}
  int64_t size;
  int64_t count;
};

}  // namespace pleat::kernels::cpu
