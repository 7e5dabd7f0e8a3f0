// SPDX-License-Identifier: Apache-2.0
// A shape of at most four dims, as a value without allocation.
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "base/errors.h"

namespace pleat::base {

class Shape {
 public:
  static constexpr int kMaxDims = 4;
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims) : rank_(static_cast<int>(dims.size())) {
    if (rank_ > kMaxDims) fail<CheckError>("a shape of {} dims; at most {} are supported", rank_, kMaxDims);
    for (int i = 0; i < rank_; ++i) dims_[i] = dims[i];
  }
  int dims() const { return rank_; }
  int64_t operator[](int dim) const { return dims_[dim]; }
  int64_t& operator[](int dim) { return dims_[dim]; }
  const int64_t* begin() const { return dims_.data(); }
  const int64_t* end() const { return dims_.data() + rank_; }
  int64_t elements() const {
    int64_t n = 1;
    for (int64_t dim : *this) n *= dim;
    return n;
  }
  /// Elements of one row: the product of all dims but the first (1 for a vector or a scalar).
  int64_t row_elements() const {
    int64_t n = 1;
    for (int i = 1; i < rank_; ++i) n *= dims_[i];
    return n;
  }
  bool operator==(const Shape&) const = default;

 private:
  std::array<int64_t, kMaxDims> dims_{};
  int rank_ = 0;
};

/// "4x128"; "scalar" for no dims.
inline std::string to_string(const Shape& shape) {
  if (shape.dims() == 0) return "scalar";
  std::string text;
  for (int64_t dim : shape) text += (text.empty() ? "" : "x") + std::to_string(dim);
  return text;
}

}  // namespace pleat::base
