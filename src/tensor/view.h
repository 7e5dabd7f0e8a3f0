// SPDX-License-Identifier: Apache-2.0
// A tensor in somebody else's memory, seen as rows of numbers of any dtype: what the reference kernels, the
// tests and the checks read and write. Exact, not fast: every element passes through a double, and is rounded
// once when stored.
#pragma once
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/dtype.h"
#include "base/shape.h"

namespace pleat::tensor {

/// The nearest bf16, ties to even. By way of fp32, but rounded once: a number just off a tie of bf16 that
/// becomes that tie as fp32 is put back on its side.
inline base::bf16 nearest_bf16(double x) {
  float nearest = static_cast<float>(x);
  const bool tie = (std::bit_cast<uint32_t>(nearest) & 0xffffu) == 0x8000u;
  if (tie && x != nearest) nearest = std::nextafter(nearest, x > nearest ? HUGE_VALF : -HUGE_VALF);
  return base::bf16(nearest);
}

/// Row r is index r of dim 0; its columns are the other dims, dense. A vector has one column, a scalar one
/// element.
class View {
 public:
  View() = default;
  View(std::byte* data, base::DType dtype, base::Shape shape, int64_t row_stride)
      : data_(data), dtype_(dtype), shape_(shape), row_stride_(row_stride) {}

  base::DType dtype() const { return dtype_; }
  const base::Shape& shape() const { return shape_; }
  int64_t rows() const { return shape_.dims() == 0 ? 1 : shape_[0]; }
  int64_t columns() const { return shape_.row_elements(); }

  double get(int64_t row, int64_t column = 0) const {
    const int64_t i = row * row_stride_ + column;
    switch (dtype_) {
      case base::DType::f32:
        return as<float>()[i];
      case base::DType::bf16:
        return static_cast<float>(as<base::bf16>()[i]);
      case base::DType::f64:
        return as<double>()[i];
      case base::DType::i32:
        return as<int32_t>()[i];
      case base::DType::i64:
        return static_cast<double>(as<int64_t>()[i]);
    }
    return 0;
  }

  /// An element of an integer tensor.
  int64_t integer(int64_t row, int64_t column = 0) const {
    const int64_t i = row * row_stride_ + column;
    return dtype_ == base::DType::i64 ? as<int64_t>()[i] : as<int32_t>()[i];
  }

  void set(int64_t row, int64_t column, double value) const {
    const int64_t i = row * row_stride_ + column;
    switch (dtype_) {
      case base::DType::f32:
        as<float>()[i] = static_cast<float>(value);
        return;
      case base::DType::bf16:
        as<base::bf16>()[i] = nearest_bf16(value);
        return;
      case base::DType::f64:
        as<double>()[i] = value;
        return;
      case base::DType::i32:
        as<int32_t>()[i] = static_cast<int32_t>(value);
        return;
      case base::DType::i64:
        as<int64_t>()[i] = static_cast<int64_t>(value);
        return;
    }
  }
  void set(int64_t row, double value) const { set(row, 0, value); }

  /// Adds the value, itself rounded first, as a reduction of two stored numbers would.
  void add(int64_t row, int64_t column, double value) const {
    if (dtype_ != base::DType::f32) return set(row, column, get(row, column) + value);
    as<float>()[row * row_stride_ + column] += static_cast<float>(value);
  }

 private:
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data_);
  }
  std::byte* data_ = nullptr;
  base::DType dtype_ = base::DType::f32;
  base::Shape shape_;
  int64_t row_stride_ = 0;
};

}  // namespace pleat::tensor
