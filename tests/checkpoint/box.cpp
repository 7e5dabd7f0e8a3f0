// SPDX-License-Identifier: Apache-2.0
// Boxes against brute force: every element is looked at.
#include "checkpoint/box.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <random>
#include <set>

namespace pleat::checkpoint {
namespace {

using base::Shape;

template <class Visit>
void for_each_element(const Box& box, Visit visit) {
  std::vector<int64_t> at(box.begin.begin(), box.begin.end());
  if (box.extent.elements() == 0) return;
  while (true) {
    visit(at);
    int d = box.begin.dims() - 1;
    for (; d >= 0; --d) {
      const auto i = static_cast<size_t>(d);
      if (++at[i] < box.begin[d] + box.extent[d]) break;
      at[i] = box.begin[d];
    }
    if (d < 0) return;
  }
}

int64_t flat(const std::vector<int64_t>& at, const Shape& shape) {
  int64_t index = 0;
  for (int d = 0; d < shape.dims(); ++d) index = index * shape[d] + at[static_cast<size_t>(d)];
  return index;
}

struct Random {
  std::mt19937 engine{7};
  int64_t below(int64_t n) { return static_cast<int64_t>(engine() % static_cast<uint64_t>(n)); }
  Shape shape() {
    std::vector<int64_t> dims(static_cast<size_t>(below(5)));
    for (int64_t& dim : dims) dim = 1 + below(5);
    return Shape(dims);
  }
  Box box(const Shape& shape) {
    Box result{shape, shape};
    for (int d = 0; d < shape.dims(); ++d) {
      result.begin[d] = below(shape[d]);
      result.extent[d] = below(2) == 0 ? shape[d] - result.begin[d] : 1 + below(shape[d] - result.begin[d]);
    }
    return result;
  }
};

TEST(Box, RunsVisitEveryElementOnceInOrder) {
  Random random;
  for (int round = 0; round < 300; ++round) {
    const Shape outer = random.shape();
    const Box box = random.box(outer);
    std::vector<int64_t> expected, got;
    for_each_element(box, [&](const auto& at) { expected.push_back(flat(at, outer)); });
    int64_t inner = 0;
    for_each_run({outer, box.begin}, {box.extent, whole(box.extent).begin}, box.extent,
                 [&](const checkpoint::Run& run) {
                   EXPECT_EQ(run.target, inner);
                   inner += run.count;
                   for (int64_t i = 0; i < run.count; ++i) got.push_back(run.source + i);
                 });
    ASSERT_EQ(got, expected) << to_string(outer) << " " << to_string(box);
  }
}

TEST(Box, RunsBetweenTwoStridedPlaces) {
  Random random;
  for (int round = 0; round < 300; ++round) {
    const Shape source = random.shape();
    const Box box = random.box(source);
    Shape target = box.extent, begin = box.extent;
    for (int d = 0; d < target.dims(); ++d) {
      begin[d] = random.below(3);
      target[d] += begin[d] + random.below(3);
    }
    std::map<int64_t, int64_t> expected, got;
    for_each_element(whole(box.extent), [&](std::vector<int64_t> at) {
      std::vector<int64_t> from = at, to = at;
      for (size_t d = 0; d < at.size(); ++d) {
        from[d] += box.begin[static_cast<int>(d)];
        to[d] += begin[static_cast<int>(d)];
      }
      expected[flat(from, source)] = flat(to, target);
    });
    for_each_run({source, box.begin}, {target, begin}, box.extent, [&](const checkpoint::Run& run) {
      for (int64_t i = 0; i < run.count; ++i) EXPECT_TRUE(got.emplace(run.source + i, run.target + i).second);
    });
    ASSERT_EQ(got, expected);
  }
}

TEST(Box, AWholeTensorIsOneRun) {
  int runs = 0;
  const Shape shape{3, 4, 5};
  for_each_run({shape, whole(shape).begin}, {shape, whole(shape).begin}, shape,
               [&](const checkpoint::Run& run) {
                 ++runs;
                 EXPECT_EQ(run.count, 60);
               });
  EXPECT_EQ(runs, 1);
}

TEST(Box, UncoveredIsExactAndDisjoint) {
  Random random;
  for (int round = 0; round < 300; ++round) {
    const Shape shape = random.shape();
    const Box wanted = random.box(shape);
    std::vector<Box> parts;
    for (int64_t i = random.below(5); i > 0; --i) parts.push_back(random.box(shape));
    std::set<int64_t> expected, got;
    for_each_element(wanted, [&](const auto& at) { expected.insert(flat(at, shape)); });
    for (const Box& part : parts)
      for_each_element(part, [&](const auto& at) { expected.erase(flat(at, shape)); });
    for (const Box& box : uncovered(wanted, parts))
      for_each_element(box,
                       [&](const auto& at) { EXPECT_TRUE(got.insert(flat(at, shape)).second) << "twice"; });
    ASSERT_EQ(got, expected);
  }
}

TEST(Box, InsideDoesNotOverflow) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  EXPECT_TRUE(inside({{1}, {2}}, {3}));
  EXPECT_FALSE(inside({{2}, {2}}, {3}));
  EXPECT_FALSE(inside({{kMax}, {kMax}}, {3}));
  EXPECT_FALSE(inside({{-1}, {1}}, {3}));
  EXPECT_FALSE(inside({{0}, {-1}}, {3}));
  EXPECT_FALSE(inside({{0, 0}, {1, 1}}, {3}));
}

TEST(Box, CheckedElementsRefusesOverflowAndNegatives) {
  constexpr int64_t kBig = int64_t{1} << 40;
  EXPECT_EQ(checked_elements(std::vector<int64_t>{}), 1);
  EXPECT_EQ(checked_elements(std::vector<int64_t>{3, 4}), 12);
  EXPECT_EQ(checked_elements(std::vector<int64_t>{kBig, kBig, 0}), 0);
  EXPECT_FALSE(checked_elements(std::vector<int64_t>{kBig, kBig}));
  EXPECT_FALSE(checked_elements(std::vector<int64_t>{-1, -1}));
}

}  // namespace
}  // namespace pleat::checkpoint
