// SPDX-License-Identifier: Apache-2.0
#include "kernels/team.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "base/errors.h"

namespace pleat::kernels {
namespace {

class TeamOf : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Sizes, TeamOf, ::testing::Values(1, 2, 3));

TEST_P(TeamOf, RunsEveryIndexExactlyOnceInManyRounds) {
  Team team(GetParam());
  EXPECT_EQ(team.size(), GetParam());
  for (int64_t tasks : {0, 1, 2, 3, 7, 1000}) {
    std::vector<std::atomic<int>> runs(static_cast<size_t>(tasks));
    std::atomic<int> bad_workers = 0;
    for (int round = 0; round < 100; ++round)
      team.run(tasks, [&](int64_t index, int worker) {
        runs[static_cast<size_t>(index)].fetch_add(1, std::memory_order_relaxed);
        if (worker < 0 || worker >= team.size()) ++bad_workers;
      });
    for (const auto& count : runs) EXPECT_EQ(count, 100);
    EXPECT_EQ(bad_workers, 0);
  }
}

TEST_P(TeamOf, MakesWritesVisibleToTheCallerAndToTheNextRound) {
  Team team(GetParam());
  std::vector<int64_t> numbers(257, 1);  // plain memory: a race here is one that ThreadSanitizer reports
  for (int round = 0; round < 20; ++round) {
    team.run(257, [&](int64_t i, int) { numbers[i] += i; });
    EXPECT_EQ(numbers[256], 1 + 256 * (round + 1));
    team.run(257, [&](int64_t i, int) { numbers[256 - i] += 0; });
  }
}

TEST_P(TeamOf, NeverGivesOneWorkerTwoTasksAtOnce) {
  Team team(GetParam());
  std::vector<int> inside(static_cast<size_t>(team.size()),
                          0);  // plain: only its own worker touches an entry
  std::atomic<int> overlaps = 0;
  team.run(500, [&](int64_t, int worker) {
    if (inside[worker]++ != 0) ++overlaps;
    std::this_thread::yield();
    --inside[worker];
  });
  EXPECT_EQ(overlaps, 0);
}

TEST_P(TeamOf, RethrowsTheErrorOfATaskAndGoesOn) {
  Team team(GetParam());
  for (int64_t culprit : {0, 5, 99}) {
    std::atomic<int> after = 0;
    try {
      team.run(100, [&](int64_t index, int) {
        if (index == culprit) base::fail<base::CheckError>("task {}", index);
      });
      ADD_FAILURE() << "no error";
    } catch (const base::CheckError& error) {
      EXPECT_EQ(error.what(), "task " + std::to_string(culprit));
    }
    team.run(10, [&](int64_t, int) { ++after; });
    EXPECT_EQ(after, 10);
  }
}

TEST(Team, UsesItsThreads) {
  Team team(3);
  std::atomic<int> arrived = 0;
  std::atomic<uint32_t> seen = 0;
  team.run(3, [&](int64_t, int worker) {  // each waits for the others, so three workers are needed
    seen.fetch_or(1u << worker);
    ++arrived;
    while (arrived < 3) std::this_thread::yield();
  });
  EXPECT_EQ(seen, 0b111u);
}

TEST(Team, OfNobodyIsRefused) {
  EXPECT_THROW(Team(0), base::CheckError);
}

TEST(Team, MayBeIdleOrNeverUsed) {
  Team unused(3);
  Team idle(2);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // past the yield phase: the thread sleeps
  std::atomic<int> runs = 0;
  idle.run(4, [&](int64_t, int) { ++runs; });
  EXPECT_EQ(runs, 4);
}

}  // namespace
}  // namespace pleat::kernels
