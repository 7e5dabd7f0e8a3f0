// SPDX-License-Identifier: Apache-2.0
// Blocks of expert rows: both directions, experts without rows, tiles, several sources.
#include <gtest/gtest.h>

#include <numeric>
#include <tuple>

#include "base/philox.h"
#include "run/bound.h"

namespace pleat::run {
namespace {

using Blocks = std::vector<std::tuple<int, int64_t, int64_t>>;  // member, first row, rows

Blocks plain(const std::vector<comm::RowBlock>& blocks) {
  Blocks all;
  for (const comm::RowBlock& block : blocks) all.emplace_back(block.member, block.row, block.rows);
  return all;
}

struct Both {
  Blocks sends, receives;
};

Both blocks_of(const ExchangePlan& plan, const std::vector<int32_t>& counts) {
  std::vector<comm::RowBlock> sends{{9, 9, 9}}, receives{{9, 9, 9}};  // what an earlier call left
  exchange_blocks(plan, counts.data(), sends, receives);
  return {plain(sends), plain(receives)};
}

// Two sources, four experts, two on each rank, tiles of four rows.
const std::vector<int32_t> kCounts{3, 0, 5, 1,  //
                                   2, 4, 0, 6};

TEST(ExchangeBlocks, ForwardFromSourceOrderToOwnerOrder) {
  const Both first = blocks_of({0, 2, 4, 4, false, 8}, kCounts);
  // Its own rows stand at 0, 4 (none), 4 and 12.
  EXPECT_EQ(first.sends, (Blocks{{0, 0, 3}, {1, 4, 5}, {1, 12, 1}}));
  // Expert 0: three own rows, then two of rank 1; expert 1 begins at the next tile, with rows of rank 1 only.
  EXPECT_EQ(first.receives, (Blocks{{0, 0, 3}, {1, 3, 2}, {1, 8, 4}}));
  const Both second = blocks_of({1, 2, 4, 4, false, 8}, kCounts);
  EXPECT_EQ(second.sends, (Blocks{{0, 0, 2}, {0, 4, 4}, {1, 8, 6}}));
  EXPECT_EQ(second.receives, (Blocks{{0, 0, 5}, {0, 8, 1}, {1, 9, 6}}));
}

TEST(ExchangeBlocks, InverseIsForwardTurnedRound) {
  for (int position : {0, 1}) {
    const Both forward = blocks_of({position, 2, 4, 4, false, 8}, kCounts);
    const Both inverse = blocks_of({position, 2, 4, 4, true, 8}, kCounts);
    EXPECT_EQ(inverse.sends, forward.receives);
    EXPECT_EQ(inverse.receives, forward.sends);
  }
}

TEST(ExchangeBlocks, NoRowsNoBlocks) {
  const Both none = blocks_of({1, 2, 4, 8, false, 8}, std::vector<int32_t>(8, 0));
  EXPECT_TRUE(none.sends.empty());
  EXPECT_TRUE(none.receives.empty());
}

TEST(ExchangeBlocks, OneRankKeepsItsRows) {
  const Both alone = blocks_of({0, 1, 3, 2, false, 8}, {3, 0, 2});
  EXPECT_EQ(alone.sends, (Blocks{{0, 0, 3}, {0, 4, 2}}));
  EXPECT_EQ(alone.receives, alone.sends);
}

/// Rows of one rank's buffer that some block names, counted by row.
std::vector<int> coverage(const Blocks& blocks, int64_t rows) {
  std::vector<int> named(static_cast<size_t>(rows), 0);
  for (const auto& [member, row, count] : blocks)
    for (int64_t r = row; r < row + count; ++r) ++named.at(static_cast<size_t>(r));
  return named;
}

TEST(ExchangeBlocks, EveryPairAgreesAndNoRowIsNamedTwice) {
  const base::RandomStream random(11);
  for (uint64_t round = 0; round < 200; ++round) {
    const int members = static_cast<int>(1 + random.bits(0, round) % 4);
    const int64_t experts = members * static_cast<int64_t>(1 + random.bits(1, round) % 4);
    const int64_t tile = int64_t{1} << (random.bits(2, round) % 4);
    std::vector<int32_t> counts(static_cast<size_t>(members * experts));
    for (size_t i = 0; i < counts.size(); ++i) {
      const uint64_t bits = random.bits(3 + i, round);
      counts[i] = bits % 3 == 0 ? 0 : static_cast<int32_t>(bits / 3 % 9);
    }
    std::vector<Both> all;
    for (int p = 0; p < members; ++p) all.push_back(blocks_of({p, members, experts, tile, false, 8}, counts));
    const int64_t total = std::accumulate(counts.begin(), counts.end(), int64_t{0});
    const int64_t bound = total + experts * tile;
    int64_t received = 0;
    for (int from = 0; from < members; ++from) {
      for (const Blocks& side : {all[from].sends, all[from].receives})
        for (int named : coverage(side, bound)) EXPECT_LE(named, 1);
      for (int to = 0; to < members; ++to) {
        std::vector<int64_t> sent, expected;
        for (const auto& [member, row, rows] : all[from].sends)
          if (member == to) sent.push_back(rows);
        for (const auto& [member, row, rows] : all[to].receives)
          if (member == from) expected.push_back(rows);
        EXPECT_EQ(sent, expected) << "round " << round << ", from " << from << " to " << to;
        received += std::accumulate(expected.begin(), expected.end(), int64_t{0});
      }
    }
    EXPECT_EQ(received, total);
  }
}

}  // namespace
}  // namespace pleat::run
