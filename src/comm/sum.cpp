// SPDX-License-Identifier: Apache-2.0
// Block by block through an accumulator that stays in the first cache, so each part is read once, whatever
// their number.
#include "comm/sum.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace pleat::comm {
namespace {

constexpr int64_t kBlock = 2048;  // elements: 16 KiB of doubles

// Unsigned for integers: a sum that overflows wraps instead of being undefined.
template <class Element>
struct Plain {
  using Stored = Element;
  using Sum = Element;
  static void load(const Stored* x, int64_t n, Sum* __restrict sum) {
    std::memcpy(sum, x, static_cast<size_t>(n) * sizeof(Element));
  }
  static void add(const Stored* __restrict x, int64_t n, Sum* __restrict sum) {
    for (int64_t i = 0; i < n; ++i) sum[i] = sum[i] + x[i];
  }
  static void store(const Sum* __restrict sum, int64_t n, Stored* y) {
    std::memcpy(y, sum, static_cast<size_t>(n) * sizeof(Element));
  }
};

struct Bf16 {
  using Stored = base::bf16;
  using Sum = float;
  static float widen(base::bf16 x) { return std::bit_cast<float>(uint32_t{x.bits} << 16); }
  static void load(const Stored* __restrict x, int64_t n, Sum* __restrict sum) {
    for (int64_t i = 0; i < n; ++i) sum[i] = widen(x[i]);
  }
  static void add(const Stored* __restrict x, int64_t n, Sum* __restrict sum) {
    for (int64_t i = 0; i < n; ++i) sum[i] = sum[i] + widen(x[i]);
  }
  static void store(const Sum* __restrict sum, int64_t n, Stored* __restrict y) {
    for (int64_t i = 0; i < n; ++i) y[i].bits = base::bf16::round_bits(std::bit_cast<uint32_t>(sum[i]));
  }
};

template <class Format>
void sum_as(std::span<const std::byte* const> parts, int64_t first, int64_t count, std::byte* out) {
  using Stored = typename Format::Stored;
  alignas(64) typename Format::Sum sum[kBlock];
  const auto part = [&](size_t p) { return reinterpret_cast<const Stored*>(parts[p]) + first; };
  auto* y = reinterpret_cast<Stored*>(out);
  for (int64_t at = 0; at < count; at += kBlock) {
    const int64_t n = std::min(kBlock, count - at);
    Format::load(part(0) + at, n, sum);
    for (size_t p = 1; p < parts.size(); ++p) Format::add(part(p) + at, n, sum);
    Format::store(sum, n, y + at);
  }
}

}  // namespace

void sum_parts(base::DType dtype, std::span<const std::byte* const> parts, int64_t first, int64_t count,
               std::byte* out) {
  switch (dtype) {
    case base::DType::f32:
      return sum_as<Plain<float>>(parts, first, count, out);
    case base::DType::f64:
      return sum_as<Plain<double>>(parts, first, count, out);
    case base::DType::i32:
      return sum_as<Plain<uint32_t>>(parts, first, count, out);
    case base::DType::i64:
      return sum_as<Plain<uint64_t>>(parts, first, count, out);
    case base::DType::bf16:
      return sum_as<Bf16>(parts, first, count, out);
  }
}

}  // namespace pleat::comm
