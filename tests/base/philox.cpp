// SPDX-License-Identifier: Apache-2.0
// Philox against the published known answers; the streams over it against what they promise.
#include "base/philox.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace pleat::base {
namespace {

TEST(Philox, GivesThePublishedAnswers) {  // Random123, kat_vectors
  using Words = std::array<uint32_t, 4>;
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomStream, IsTheBlockOfItsKeyAndCounter) {
  const RandomStream stream(uint64_t{0x299f31d0a4093822});
  EXPECT_EQ(stream.bits(0x85a308d3243f6a88, 0x0370734413198a2e), 0x94fdccebd16cfe09u);
  EXPECT_EQ(stream.uniform(0x85a308d3243f6a88, 0x0370734413198a2e),
            double(0x94fdccebd16cfe09 >> 11) * 0x1p-53);
}

TEST(RandomStream, DiffersBySeedNameUsageAndCounter) {
  std::set<uint64_t> numbers;
  size_t count = 0;
  for (uint64_t seed : {0, 1, 2, 1000})
    for (const char* name : {"", "a", "ab", "model.norm.weight"})
      for (const char* usage : {"", "b", "bc", "c"})
        for (uint64_t index : {0, 1})
          for (uint64_t place : {0, 1}) {
            numbers.insert(RandomStream(seed, name, usage).bits(index, place));
            ++count;
          }
  EXPECT_EQ(numbers.size(), count);
}

TEST(RandomStream, NormalsOfAPairAreTheElements) {
  const RandomStream stream(7, "x", "test");
  for (uint64_t pair = 0; pair < 100; ++pair) {
    const auto [even, odd] = stream.normal_pair(pair, 3);
    EXPECT_EQ(even, stream.normal(2 * pair, 3));
    EXPECT_EQ(odd, stream.normal(2 * pair + 1, 3));
  }
}

TEST(RandomStream, FilledNormalsAreTheElementsInEveryBit) {
  const RandomStream stream(7, "x", "fill");
  const auto expect_same = [&](uint64_t first, double deviation, size_t count) {
    std::vector<float> values(count);
    stream.fill_normals(first, deviation, values);
    for (size_t i = 0; i < count; ++i)
      ASSERT_EQ(values[i], static_cast<float>(deviation * stream.normal(first + i))) << first << " + " << i;
  };
  expect_same(0, 1.0, 1000001);
  for (size_t count : {0, 1, 2, 3, 15, 16, 17, 40})
    for (uint64_t first : {0, 1, 6}) expect_same(first, 0.02, count);
  expect_same((uint64_t{1} << 33) - 101, 0.02, 1000);  // the counter's first word overflows
  expect_same(5, 1e-38, 1000);                         // subnormal floats
}

/// Mean of n samples of a variable with this deviation, allowed to be five of its own deviations off.
double bound_of_mean(double deviation, double n) {
  return 5.0 * deviation / std::sqrt(n);
}

TEST(RandomStream, MomentsAreThoseOfTheDistributions) {
  constexpr int kCount = 200000;
  const RandomStream stream(11, "moments", "test");
  double uniform = 0, normal = 0, square = 0, fourth = 0, neighbours = 0, before = 0;
  for (int i = 0; i < kCount; ++i) {
    const double u = stream.uniform(i), z = stream.normal(i, 1);
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    ASSERT_TRUE(std::isfinite(z));
    uniform += u;
    normal += z;
    square += z * z;
    fourth += z * z * z * z;
    neighbours += z * before;
    before = z;
  }
  EXPECT_NEAR(uniform / kCount, 0.5, bound_of_mean(std::sqrt(1.0 / 12.0), kCount));
  EXPECT_NEAR(normal / kCount, 0.0, bound_of_mean(1.0, kCount));
  EXPECT_NEAR(square / kCount, 1.0, bound_of_mean(std::sqrt(2.0), kCount));
  EXPECT_NEAR(fourth / kCount, 3.0, bound_of_mean(std::sqrt(96.0), kCount));  // E z^8 - (E z^4)^2 = 105 - 9
  EXPECT_NEAR(neighbours / kCount, 0.0, bound_of_mean(1.0, kCount));
}

}  // namespace
}  // namespace pleat::base
