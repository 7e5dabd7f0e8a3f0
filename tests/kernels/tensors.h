// SPDX-License-Identifier: Apache-2.0
// Small tensors written out in tests, and the reference kernel's answer to them.
#pragma once
#include <initializer_list>

#include "case_list.h"

namespace pleat::kernels::testing {

inline Buffer tensor_of(const graph::OperandType& type, std::initializer_list<double> numbers) {
  Buffer buffer(type);
  const int64_t columns = buffer.view().columns();
  int64_t i = 0;
  for (double number : numbers) buffer.view().set(i / columns, i % columns, number), ++i;
  return buffer;
}
inline Buffer f64s(std::initializer_list<int64_t> dims, std::initializer_list<double> numbers) {
  return tensor_of(CaseList::f64(dims), numbers);
}
inline Buffer f32s(std::initializer_list<int64_t> dims, std::initializer_list<double> numbers) {
  return tensor_of(CaseList::f32(dims), numbers);
}
inline Buffer i32s(std::initializer_list<int64_t> dims, std::initializer_list<double> numbers) {
  return tensor_of(CaseList::i32(dims), numbers);
}

using Numbers = std::vector<double>;

}  // namespace pleat::kernels::testing
