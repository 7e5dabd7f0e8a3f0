// SPDX-License-Identifier: Apache-2.0
// One loop per pair of dtypes, over memcpy'd elements because files align nothing.
#include "checkpoint/convert.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "base/errors.h"

namespace pleat::checkpoint {
namespace {

template <class To, class From>
To element(From x) {
  if constexpr (std::is_same_v<From, base::bf16>)
    return static_cast<To>(static_cast<float>(x));
  else if constexpr (std::is_same_v<To, base::bf16> && std::is_same_v<From, double>)
    return bf16_of(x);
  else
    return static_cast<To>(x);
}

template <class From, class To>
void convert_all(const std::byte* source, std::byte* target, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    From x;
    std::memcpy(&x, source + i * static_cast<int64_t>(sizeof(From)), sizeof(From));
    const To y = element<To>(x);
    std::memcpy(target + i * static_cast<int64_t>(sizeof(To)), &y, sizeof(To));
  }
}

template <class From>
void convert_from(const std::byte* source, base::DType to, std::byte* target, int64_t count) {
  if (to == base::DType::f32) return convert_all<From, float>(source, target, count);
  if (to == base::DType::f64) return convert_all<From, double>(source, target, count);
  convert_all<From, base::bf16>(source, target, count);
}

}  // namespace

base::bf16 bf16_of(double x) {
  // Round to odd first: an inexact float gets its last bit set, so the second rounding never sees a false
  // tie.
  auto nearest = static_cast<float>(x);
  auto bits = std::bit_cast<uint32_t>(nearest);
  if (!std::isnan(nearest) && static_cast<double>(nearest) != x) {
    if (std::fabs(static_cast<double>(nearest)) > std::fabs(x)) --bits;
    bits |= 1u;
  }
  base::bf16 result;
  result.bits = base::bf16::round_bits(bits);
  return result;
}

bool convertible(base::DType from, base::DType to) {
  return from == to || (base::is_floating(from) && base::is_floating(to));
}

void convert(base::DType from, const std::byte* source, base::DType to, std::byte* target, int64_t count) {
  if (count == 0) return;
  if (from == to) {
    std::memcpy(target, source, static_cast<size_t>(count * base::size_of(from)));
    return;
  }
  if (!convertible(from, to))
    base::fail<base::DataError>("{} cannot be read as {}", base::name_of(from), base::name_of(to));
  if (from == base::DType::f32) return convert_from<float>(source, to, target, count);
  if (from == base::DType::f64) return convert_from<double>(source, to, target, count);
  convert_from<base::bf16>(source, to, target, count);
}

}  // namespace pleat::checkpoint
