// SPDX-License-Identifier: Apache-2.0
#include "tensor/view.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

namespace pleat::tensor {
namespace {

using base::DType;

double through_bf16(double x) {
  return static_cast<float>(nearest_bf16(x));
}

TEST(NearestBf16, RoundsOnceToNearestEven) {
  const double step = std::ldexp(1, -7), half = std::ldexp(1, -8), little = std::ldexp(1, -40);
  EXPECT_EQ(through_bf16(1 + half), 1);  // a tie goes to the even one
  EXPECT_EQ(through_bf16(1 + step + half), 1 + 2 * step);
  EXPECT_EQ(through_bf16(1 + half + little), 1 + step);  // as fp32 this is the tie
  EXPECT_EQ(through_bf16(1 + step + half - little), 1 + step);
  EXPECT_EQ(through_bf16(-(1 + half + little)), -(1 + step));
  EXPECT_EQ(through_bf16(-(1 + step + half - little)), -(1 + step));
}

TEST(NearestBf16, AgreesWithAllNeighboursOfEveryUpperHalf) {
  for (uint32_t upper = 1; upper + 1 < 0x7f80; ++upper) {  // positive, finite
    const double low = std::bit_cast<float>(upper << 16), high = std::bit_cast<float>((upper + 1) << 16);
    const double middle = (low + high) / 2;
    EXPECT_EQ(through_bf16(low), low);
    EXPECT_EQ(through_bf16(middle), upper % 2 == 0 ? low : high);
    EXPECT_EQ(through_bf16(std::nextafter(middle, low)), low);
    EXPECT_EQ(through_bf16(std::nextafter(middle, high)), high);
  }
}

TEST(NearestBf16, KeepsWhatIsNotFinite) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(std::isnan(through_bf16(std::numeric_limits<double>::quiet_NaN())));
  EXPECT_EQ(through_bf16(kInfinity), kInfinity);
  EXPECT_EQ(through_bf16(-kInfinity), -kInfinity);
  EXPECT_EQ(through_bf16(1e300), kInfinity);
  EXPECT_TRUE(std::signbit(through_bf16(-0.0)));
}

TEST(View, ReadsRowsAtTheirStride) {
  std::array<float, 10> data{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const View view(reinterpret_cast<std::byte*>(data.data()), DType::f32, {2, 3}, 5);
  EXPECT_EQ(view.rows(), 2);
  EXPECT_EQ(view.columns(), 3);
  EXPECT_EQ(view.get(1, 2), 7);
  view.set(1, 2, 0.1);
  EXPECT_EQ(data[7], 0.1f);
  view.add(1, 2, 0.2);
  EXPECT_EQ(data[7], 0.1f + 0.2f);
}

TEST(View, TakesEveryDtype) {
  for (DType dtype : {DType::f32, DType::bf16, DType::f64, DType::i32, DType::i64}) {
    alignas(8) std::array<std::byte, 24> data{};
    const View view(data.data(), dtype, {3}, 1);
    view.set(1, -5);
    EXPECT_EQ(view.get(1), -5) << name_of(dtype);
    EXPECT_EQ(view.get(0), 0);
    EXPECT_EQ(view.get(2), 0);
    view.add(1, 0, 3);
    EXPECT_EQ(view.get(1), -2);
    if (!is_floating(dtype)) {
      EXPECT_EQ(view.integer(1), -2);
    }
  }
}

TEST(View, OfAScalarHasOneElement) {
  double number = 3;
  const View view(reinterpret_cast<std::byte*>(&number), DType::f64, {}, 0);
  EXPECT_EQ(view.rows() * view.columns(), 1);
  EXPECT_EQ(view.get(0), 3);
}

}  // namespace
}  // namespace pleat::tensor
