// SPDX-License-Identifier: Apache-2.0
// A bijection for every size; well spread; the same for ever.
#include "data/permutation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/errors.h"

namespace pleat::data {
namespace {

TEST(Permutation, IsABijectionForEverySize) {
  std::vector<int64_t> sizes{4095, 4096, 4097, 65537};
  for (int64_t n = 1; n <= 300; ++n) sizes.push_back(n);
  for (const int64_t n : sizes) {
    const Permutation order(n, 3, static_cast<uint64_t>(n));
    std::vector<bool> seen(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i) {
      const int64_t j = order(i);
      ASSERT_TRUE(j >= 0 && j < n && !seen[static_cast<size_t>(j)]) << n << " " << i;
      seen[static_cast<size_t>(j)] = true;
    }
  }
}

TEST(Permutation, LargeSizesStayInside) {
  const int64_t n = (int64_t{1} << 62) - 1;
  const Permutation order(n, 1, 0);
  for (int64_t i = 0; i < 1000; ++i) {
    const int64_t j = order(i);
    EXPECT_TRUE(j >= 0 && j < n);
    EXPECT_NE(order(n - 1 - i), j);
  }
  EXPECT_THROW(order(n), base::CheckError);
  EXPECT_THROW(order(-1), base::CheckError);
  EXPECT_THROW(Permutation(0, 1, 0), base::CheckError);
}

// Over many seeds each element must land everywhere equally often. With m seeds and n places chi^2 has n - 1
// degrees of freedom: mean n - 1, deviation sqrt(2(n - 1)); six deviations are passed by chance less than
// once in 10^7.
TEST(Permutation, EveryElementLandsEverywhere) {
  constexpr int kPlaces = 24, kSeeds = 6000;
  for (int64_t element : {0, 11, 23}) {
    std::vector<int> landed(kPlaces);
    for (uint64_t seed = 0; seed < kSeeds; ++seed)
      ++landed[static_cast<size_t>(Permutation(kPlaces, seed, seed % 5)(element))];
    double chi = 0;
    const double mean = double{kSeeds} / kPlaces;
    for (int count : landed) chi += (count - mean) * (count - mean) / mean;
    EXPECT_LT(chi, kPlaces - 1 + 6 * std::sqrt(2.0 * (kPlaces - 1)));
  }
}

// Neighbours must not stay neighbours: of n - 1 pairs about 2 in a random order.
TEST(Permutation, NeighboursAreParted) {
  constexpr int64_t kSize = 100'000;
  const Permutation order(kSize, 5, 1);
  int64_t neighbours = 0, before = order(0);
  for (int64_t i = 1; i < kSize; ++i) {
    const int64_t j = order(i);
    neighbours += std::abs(j - before) == 1 ? 1 : 0;
    before = j;
  }
  EXPECT_LE(neighbours, 2 + 6 * 2);  // Poisson of mean 2: variance 2, over eight deviations
}

TEST(Permutation, SeedsAndEpochsDiffer) {
  constexpr int64_t kSize = 1000;
  const auto agreeing = [](const Permutation& a, const Permutation& b) {
    int64_t equal = 0;
    for (int64_t i = 0; i < kSize; ++i) equal += a(i) == b(i) ? 1 : 0;
    return equal;
  };
  // Two random orders agree in one place on average.
  EXPECT_LE(agreeing(Permutation(kSize, 1, 0), Permutation(kSize, 1, 1)), 10);
  EXPECT_LE(agreeing(Permutation(kSize, 1, 0), Permutation(kSize, 2, 0)), 10);
  EXPECT_LE(agreeing(Permutation(kSize, 0, 1), Permutation(kSize, 1, 0)), 10);
  EXPECT_EQ(agreeing(Permutation(kSize, 9, 9), Permutation(kSize, 9, 9)), kSize);
}

// A run that is resumed by a later version must go on in the same order: these numbers never change.
TEST(Permutation, IsTheSameForEver) {
  const Permutation order(1'000'003, 1234, 2);
  const std::vector<int64_t> expected{319449, 525404, 356950, 124925, 739913, 145335, 686237, 23660};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(order(static_cast<int64_t>(i)), expected[i]);
}

}  // namespace
}  // namespace pleat::data
