// SPDX-License-Identifier: Apache-2.0
// Test data whose sums depend on the order, and the sum by its definition, one element at a time.
#pragma once
#include <cmath>
#include <cstring>
#include <type_traits>
#include <vector>

#include "harness.h"

namespace pleat::comm {

template <class Element>
constexpr base::DType dtype_of() {
  if constexpr (std::is_same_v<Element, float>) return base::DType::f32;
  if constexpr (std::is_same_v<Element, double>) return base::DType::f64;
  if constexpr (std::is_same_v<Element, base::bf16>) return base::DType::bf16;
  if constexpr (std::is_same_v<Element, int32_t>) return base::DType::i32;
  if constexpr (std::is_same_v<Element, int64_t>) return base::DType::i64;
}

/// Magnitudes over 24 binary orders and both signs: another order of sums gives other bits in most elements.
template <class Element>
Element element_at(int rank, int64_t i, uint64_t seed) {
  const uint64_t bits = mixed(static_cast<uint64_t>(rank) + 1, static_cast<uint64_t>(i), seed);
  if constexpr (std::is_integral_v<Element>) return static_cast<Element>(bits);
  const double fraction = 1.0 + static_cast<double>(bits >> 12) * 0x1p-52;
  const double value = std::ldexp(fraction, static_cast<int>(bits % 24) - 12) * ((bits & 32) != 0 ? -1 : 1);
  if constexpr (std::is_same_v<Element, base::bf16>) return base::bf16(static_cast<float>(value));
  if constexpr (std::is_floating_point_v<Element>) return static_cast<Element>(value);
}

template <class Element>
std::vector<Element> elements(int rank, int64_t count, uint64_t seed) {
  std::vector<Element> data(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) data[i] = element_at<Element>(rank, i, seed);
  return data;
}

/// ((x0 + x1) + x2) + ... of element i, in the order of `ranks`.
template <class Element>
Element sum_at(const std::vector<int>& ranks, int64_t i, uint64_t seed) {
  if constexpr (std::is_same_v<Element, base::bf16>) {
    float sum = static_cast<float>(element_at<Element>(ranks[0], i, seed));
    for (size_t p = 1; p < ranks.size(); ++p)
      sum += static_cast<float>(element_at<Element>(ranks[p], i, seed));
    return base::bf16(sum);
  } else if constexpr (std::is_integral_v<Element>) {
    uint64_t sum = 0;
    for (int rank : ranks) sum += static_cast<uint64_t>(element_at<Element>(rank, i, seed));
    return static_cast<Element>(sum);
  } else {
    Element sum = element_at<Element>(ranks[0], i, seed);
    for (size_t p = 1; p < ranks.size(); ++p) sum += element_at<Element>(ranks[p], i, seed);
    return sum;
  }
}

template <class Element>
std::vector<Element> sums(const std::vector<int>& ranks, int64_t first, int64_t count, uint64_t seed) {
  std::vector<Element> data(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) data[i] = sum_at<Element>(ranks, first + i, seed);
  return data;
}

/// Throws, because a rank's thread must not go on with wrong data, and the error names the place.
template <class Element>
void expect_bits(const std::vector<Element>& got, const std::vector<Element>& want, const std::string& what) {
  if (got.size() != want.size())
    base::fail<base::CheckError>("{}: {} elements, expected {}", what, got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i)
    if (std::memcmp(&got[i], &want[i], sizeof(Element)) != 0)
      base::fail<base::CheckError>("{}: element {} of {} differs", what, i, got.size());
}

}  // namespace pleat::comm
