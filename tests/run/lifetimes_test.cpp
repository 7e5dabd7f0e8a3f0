// SPDX-License-Identifier: Apache-2.0
// Lives of bytes, read off effects().
#include "run/lifetimes.h"

#include <gtest/gtest.h>

#include "programs.h"

namespace pleat::run {
namespace {

using program::Area;

TEST(Lifetimes, ATransientEndsWithItsLastTouchInTheInstance) {
  const program::Region first = floats(Area::scratch, 0, 8, 1), second = floats(Area::scratch, 32, 8, 2);
  const program::Region third = floats(Area::scratch, 0, 8, 3);  // where `first` was
  program::Program p =
      by_hand({{load("x", first), scaled(first, second), scaled(second, third), emit("y", third)}});
  p.lists[0].instances.push_back(p.lists[0].instances[0]);
  const Lifetimes lives = lifetimes_of(p, p.lists[0]);
  ASSERT_EQ(lives.items.size(), 8u);
  ASSERT_EQ(lives.lives.size(), 6u) << "three in each of two instances";
  EXPECT_EQ(lives.items[0].touches, (std::vector<int>{0}));
  EXPECT_EQ(lives.items[1].touches, (std::vector<int>{0, 1}));
  EXPECT_EQ(lives.items[2].touches, (std::vector<int>{1, 2}));
  EXPECT_EQ(lives.items[3].touches, (std::vector<int>{2}));
  EXPECT_EQ(lives.items[4].touches, (std::vector<int>{3}));
  for (const Life& life : lives.lives) EXPECT_EQ(life.touches, 2);
  EXPECT_EQ(lives.lives[0].span, (Span{0, 32}));
  EXPECT_EQ(lives.lives[1].span, (Span{32, 64}));
  EXPECT_EQ(lives.lives[2].span, (Span{0, 32}));
  EXPECT_EQ(lives.items[1].writes, (std::vector<Span>{{32, 64}}));
  EXPECT_TRUE(lives.items[3].writes.empty());
}

TEST(Lifetimes, AFrameLivesAcrossTheInstancesOfItsMicroBatch) {
  const program::Region x = floats(Area::frame, 0, 8, 1);
  program::Program p = by_hand({{load("x", x), emit("y", x)}});
  auto& instances = p.lists[0].instances;
  p.lists[0].area_bytes[static_cast<int>(Area::frame)] = 128;
  instances.resize(4, instances[0]);
  for (size_t i = 0; i < 4; ++i) {
    instances[i].micro_batch = static_cast<int32_t>(i % 2);
    instances[i].bases[static_cast<int>(Area::frame)] = static_cast<int64_t>(i % 2) * 64;
  }
  const Lifetimes lives = lifetimes_of(p, p.lists[0]);
  ASSERT_EQ(lives.lives.size(), 2u);
  EXPECT_EQ(lives.lives[0].touches, 4);
  EXPECT_EQ(lives.lives[1].span, (Span{64, 96}));
}

TEST(Lifetimes, ViewsOfABufferAreOneLife) {
  const program::Region whole = floats(Area::step, 64, 16, 5), part = floats(Area::step, 96, 8, 5);
  const program::Region place = floats(Area::scratch, 0, 8, 6);
  const program::Program p = by_hand({{load("x", whole), scaled(part, place)}});
  const Lifetimes lives = lifetimes_of(p, p.lists[0]);
  ASSERT_EQ(lives.lives.size(), 2u);
  EXPECT_EQ(lives.lives[0].span, (Span{64, 128}));
  EXPECT_EQ(lives.lives[0].touches, 2);
}

TEST(Lifetimes, StateAndRegionsWithoutBufferNeverEnd) {
  const program::Region weight = floats(Area::state, 0, 8, 1), unsaid = floats(Area::scratch, 0, 8);
  const program::Program p = by_hand({{scaled(weight, unsaid), emit("y", unsaid)}});
  const Lifetimes lives = lifetimes_of(p, p.lists[0]);
  EXPECT_TRUE(lives.lives.empty());
  ASSERT_EQ(lives.immortal.size(), 3u);
  EXPECT_EQ(lives.immortal[0], (Span{0, 32}));
  EXPECT_EQ(lives.immortal[1], (Span{64, 96}));
}

/// What compile writes: every region has a buffer, every life begins with a write, and lives that share bytes
/// are of different instances, or one after the other in list order.
TEST(Lifetimes, CompiledLivesDoNotMeet) {
  const program::Program p = compile::compile(pipeline_request());
  for (const program::RankList& list : p.lists) {
    const Lifetimes all = lifetimes_of(p, list);
    EXPECT_EQ(all.immortal.size(), 1u) << "the state section";
    struct Reach {
      size_t first = SIZE_MAX, last = 0;
    };
    std::vector<Reach> reach(all.lives.size());
    for (size_t i = 0; i < all.items.size(); ++i)
      for (int life : all.items[i].touches)
        reach[life] = {std::min(reach[life].first, i), std::max(reach[life].last, i)};
    for (size_t a = 0; a < all.lives.size(); ++a) {
      EXPECT_FALSE(all.items[reach[a].first].writes.empty());
      for (size_t b = a + 1; b < all.lives.size(); ++b) {
        const Span &x = all.lives[a].span, &y = all.lives[b].span;
        if (x.begin >= y.end || y.begin >= x.end) continue;
        EXPECT_TRUE(reach[a].last < reach[b].first || reach[b].last < reach[a].first) << a << " and " << b;
      }
    }
  }
}

}  // namespace
}  // namespace pleat::run
