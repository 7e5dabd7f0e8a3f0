// SPDX-License-Identifier: Apache-2.0
// What a kernel must know of an instruction before it runs: the operation, its attributes, and the local
// dtype, shape and row stride of every operand. The catalogue chooses by it, a kernel is bound with it.
#pragma once
#include <vector>

#include "base/dtype.h"
#include "base/shape.h"
#include "graph/op.h"

namespace pleat::graph {

struct OperandType {
  base::DType dtype = base::DType::f32;
  base::Shape shape;       // local
  int64_t row_stride = 0;  // elements from one index of dim 0 to the next; the other dims are dense
  static OperandType dense(base::DType dtype, base::Shape shape) {
    return {dtype, shape, shape.row_elements()};
  }
  bool is_dense() const { return shape.dims() == 0 || row_stride == shape.row_elements(); }
  /// From the first element to one past the last.
  int64_t bytes() const {
    if (shape.elements() == 0) return 0;
    if (shape.dims() == 0) return base::size_of(dtype);
    return ((shape[0] - 1) * row_stride + shape.row_elements()) * base::size_of(dtype);
  }
  bool operator==(const OperandType&) const = default;
};

struct Signature {
  Op op = Op::add;
  Attributes attributes;
  std::vector<OperandType> reads;
  std::vector<OperandType> writes;
  uint32_t accumulates = 0;  // bit i: result i is added to what is there, or stored if it is the first
  bool operator==(const Signature&) const = default;
};

}  // namespace pleat::graph
