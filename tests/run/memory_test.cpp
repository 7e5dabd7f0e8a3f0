// SPDX-License-Identifier: Apache-2.0
// The arena is the sum of its areas, is used to the end of each, and nothing behind it is touched.
#include <gtest/gtest.h>

#include <string>

#include "base/errors.h"
#include "programs.h"
#include "small_run.h"
#include "tensor/arena.h"

namespace pleat::run {
namespace {

using program::Area;

struct Touched {
  std::array<int64_t, program::kAreas> areas{};
  int64_t whole = 0, arena = 0;
};

std::vector<Touched> touched_by(const program::Program& program, int64_t steps) {
  std::vector<Touched> ranks(static_cast<size_t>(program.layout.world()));
  Crew crew(program, [](base::Rank) { return std::make_unique<MadeUpData>(); }, {});
  crew.each([&](base::Rank id, Rank& rank) { fill_state(program, id, rank); });
  crew.run(steps);
  crew.each([&](base::Rank id, Rank& rank) {
    Touched& touched = ranks[static_cast<size_t>(id.value)];
    for (int area = 0; area < program::kAreas; ++area)
      touched.areas[area] = rank.highest_touched(static_cast<Area>(area));
    touched.whole = rank.highest_touched();
    touched.arena = rank.arena_bytes();
  });
  return ranks;
}

TEST(Memory, PredictedIsTheSumOfAreasAndTouchedIsPredicted) {
  const layout::Degrees layouts[]{{}, {.pp = 2}, {.dp = 2}, {.dp = 2, .pp = 2}};
  for (const layout::Degrees& degrees : layouts) {
    const program::Program program = compile::compile(small_request(false, degrees));
    const std::vector<Touched> ranks = touched_by(program, 3);
    for (size_t id = 0; id < ranks.size(); ++id) {
      const program::RankList& list = program.list_of(base::Rank(static_cast<int64_t>(id)));
      int64_t sum = 0;
      for (int area = 0; area < program::kAreas; ++area) {
        sum += program::aligned(list.area_bytes[area]);
        // What one area leaves over the next begins at a multiple of the alignment.
        EXPECT_LE(ranks[id].areas[area], list.area_bytes[area]);
        EXPECT_GE(ranks[id].areas[area], list.area_bytes[area] - program::kAlignment)
            << program.layout.name() << ", rank " << id << ", " << program::kAreaNames[area];
      }
      EXPECT_EQ(ranks[id].arena, sum);
      EXPECT_EQ(ranks[id].arena, program.arena_bytes(list));
      EXPECT_LE(ranks[id].whole, sum);
      EXPECT_GE(ranks[id].whole, sum - 2 * program::kAlignment);
    }
  }
}

TEST(Memory, ThatIsNotThereIsToldWithTheRank) {
  program::Program program = compile::compile(small_request(false, {.pp = 2}));
  program.lists[1].area_bytes[static_cast<size_t>(Area::scratch)] = int64_t{1} << 50;
  try {
    Crew crew(program, [](base::Rank) { return std::make_unique<MadeUpData>(); }, {});
    FAIL() << "a pebibyte was mapped";
  } catch (const base::JobError& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("rank 1: no memory for an arena of ")) << error.what();
  }
}

/// Experts get room for the worst case, which made-up tokens need not fill; still nothing lies above.
TEST(Memory, ExpertsStayWithinTheirBound) {
  const program::Program program = compile::compile(pipeline_request());
  for (const Touched& rank : touched_by(program, 3)) {
    EXPECT_LE(rank.whole, rank.arena);
    EXPECT_GT(rank.whole, 0);
  }
}

TEST(Memory, AWriteBehindTheEndIsSeen) {
  tensor::Arena arena(1000);
  EXPECT_EQ(arena.highest_touched(), 0);
  arena.bytes(0, 1000)[999] = std::byte{1};
  EXPECT_EQ(arena.highest_touched(), 1000);
  EXPECT_EQ(arena.highest_touched(0, 900), 0);
  EXPECT_EQ(arena.highest_touched(990, 10), 10);
  arena.data()[1003] = std::byte{1};
  EXPECT_EQ(arena.highest_touched(), 1004);
}

TEST(Memory, AnEmptyArenaHasNoBytes) {
  const tensor::Arena arena(0);
  EXPECT_EQ(arena.highest_touched(), 0);
  EXPECT_EQ(arena.bytes(0, 0).size(), 0u);
  EXPECT_THROW(arena.bytes(0, 1), base::CheckError);
}

}  // namespace
}  // namespace pleat::run
