// SPDX-License-Identifier: Apache-2.0
// Byte sets against sets of numbers, on thousands of small random rectangles.
#include "verify/rows.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "verify/shadow.h"

namespace pleat::verify {
namespace {

std::multiset<int64_t> bytes_of(const std::vector<Rows>& parts) {
  std::multiset<int64_t> all;
  for (const Rows& part : parts)
    for (int64_t row = 0; row < part.count; ++row)
      for (int64_t i = 0; i < part.width; ++i) all.insert(part.begin + row * part.stride + i);
  return all;
}

Rows random_rows(std::mt19937& random, int64_t stride) {
  const auto pick = [&](int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random);
  };
  return make_rows(pick(0, 30), pick(1, stride), stride, pick(1, 5));
}

TEST(Rows, CutAgreesWithSetsOfBytes) {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    const int64_t stride = std::uniform_int_distribution<int64_t>(1, 9)(random);
    const bool same = round % 4 != 0;
    const Rows a = random_rows(random, stride);
    const Rows b = random_rows(random, same ? stride : std::uniform_int_distribution<int64_t>(1, 9)(random));
    std::vector<Rows> inside, outside;
    cut(a, b, inside, outside);
    std::multiset<int64_t> want_in, want_out;
    const std::multiset<int64_t> of_b = bytes_of({b});
    for (int64_t byte : bytes_of({a})) (of_b.contains(byte) ? want_in : want_out).insert(byte);
    ASSERT_EQ(bytes_of(inside), want_in) << round;
    ASSERT_EQ(bytes_of(outside), want_out) << round;
  }
}

TEST(Rows, AMatrixWithGapsIsNotItsExtent) {
  const auto matrix = [](int64_t offset) {
    return rows_of({program::Area::frame, offset, {base::DType::f32, {8, 4}, 16}}, 1024);
  };
  EXPECT_EQ(matrix(0), (Rows{1024, 16, 64, 8}));
  std::vector<Rows> inside, outside;
  cut(matrix(0), matrix(16), inside, outside);
  EXPECT_TRUE(inside.empty());
  EXPECT_EQ(outside, std::vector{matrix(0)});
}

TEST(Shadow, KnowsEveryByteAsAnArrayDoes) {
  std::mt19937 random(2);
  for (int round = 0; round < 200; ++round) {
    Shadow<int> shadow;
    std::map<int64_t, int> want;
    const int64_t stride = std::uniform_int_distribution<int64_t>(2, 9)(random);
    for (int fact = 1; fact < 40; ++fact) {
      const Rows rows = random_rows(random, stride);
      if (fact % 3 == 0) {  // what is known there, and not more
        int64_t known = 0;
        for (int64_t byte : bytes_of({rows})) known += want.contains(byte) ? 1 : 0;
        ASSERT_EQ(shadow.visit(rows, [](int& value) { ++value; }), known);
        ASSERT_EQ(static_cast<int64_t>(bytes_of(shadow.unknown(rows)).size()), rows.bytes() - known);
        for (int64_t byte : bytes_of({rows}))
          if (want.contains(byte)) ++want[byte];
      } else {
        shadow.assign(rows, fact * 1000);
        for (int64_t byte : bytes_of({rows})) want[byte] = fact * 1000;
      }
    }
    for (const auto& [byte, value] : want)
      shadow.visit({byte, 1, 1, 1}, [&, v = value](int& have) { EXPECT_EQ(have, v); });
  }
}

}  // namespace
}  // namespace pleat::verify
