// SPDX-License-Identifier: Apache-2.0
// Every rounding boundary of bf16, from double.
#include "checkpoint/convert.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace pleat::checkpoint {
namespace {

double value_of(uint16_t bits) {
  base::bf16 x;
  x.bits = bits;
  return static_cast<float>(x);
}

TEST(Convert, DoubleToBf16RoundsOnceAtEveryTie) {
  constexpr uint16_t kInfinity = 0x7f80;
  for (uint16_t bits = 0; bits + 1 < kInfinity; ++bits) {
    const double low = value_of(bits), high = value_of(static_cast<uint16_t>(bits + 1));
    const double tie = low + (high - low) / 2;  // exact in double
    const auto even = static_cast<uint16_t>(bits + (bits & 1));
    ASSERT_EQ(bf16_of(low).bits, bits);
    ASSERT_EQ(bf16_of(tie).bits, even) << bits;
    // One double above a tie is above it: rounding by way of float would call it a tie again.
    ASSERT_EQ(bf16_of(std::nextafter(tie, high)).bits, bits + 1) << bits;
    ASSERT_EQ(bf16_of(std::nextafter(tie, low)).bits, bits) << bits;
    ASSERT_EQ(bf16_of(-std::nextafter(tie, high)).bits, (bits + 1) | 0x8000) << bits;
  }
}

TEST(Convert, InfinityAndNan) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(bf16_of(kInfinity).bits, 0x7f80);
  EXPECT_EQ(bf16_of(-kInfinity).bits, 0xff80);
  EXPECT_EQ(bf16_of(1e300).bits, 0x7f80);
  EXPECT_TRUE(std::isnan(static_cast<float>(bf16_of(std::nan("")))));
  EXPECT_EQ(bf16_of(1e-300).bits, 0);
}

TEST(Convert, UnalignedBuffersAndRefusals) {
  const float source[2] = {1.5f, -2.25f};
  std::byte unaligned[1 + sizeof source], target[1 + 2 * sizeof(double)];
  std::memcpy(unaligned + 1, source, sizeof source);
  convert(base::DType::f32, unaligned + 1, base::DType::f64, target + 1, 2);
  double result[2];
  std::memcpy(result, target + 1, sizeof result);
  EXPECT_EQ(result[0], 1.5);
  EXPECT_EQ(result[1], -2.25);
  EXPECT_FALSE(convertible(base::DType::i64, base::DType::i32));
  EXPECT_FALSE(convertible(base::DType::i32, base::DType::f32));
  EXPECT_THROW(convert(base::DType::i64, unaligned, base::DType::f64, target, 1), base::DataError);
}

}  // namespace
}  // namespace pleat::checkpoint
