// SPDX-License-Identifier: Apache-2.0
// Options::times: every instruction of every turn once, on its rank's clock, in the order that queues and
// events allow.
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <utility>

#include "programs.h"
#include "small_run.h"

namespace pleat::run {
namespace {

struct Ran {
  int instance, instruction;
  double begin, end;
};

/// A clock per rank that ticks with every look; all that rank reports.
struct Recordings {
  std::vector<std::vector<Ran>> ranks;

  explicit Recordings(const program::Program& program, Order order, int64_t steps)
      : ranks(static_cast<size_t>(program.layout.world())) {
    Options options;
    options.order = order;
    options.clock = [] {
      thread_local double ticks = 0;
      return ++ticks;
    };
    options.times = [this](base::Rank rank, int instance, int instruction, double begin, double end) {
      ranks[static_cast<size_t>(rank.value)].push_back({instance, instruction, begin, end});
    };
    outcome_of(program, steps, options);
  }
};

class Times : public testing::TestWithParam<Order> {};
INSTANTIATE_TEST_SUITE_P(, Times, testing::Values(Order::in_order, Order::queues), [](const auto& order) {
  return order.param == Order::queues ? "Queues" : "InOrder";
});

TEST_P(Times, EveryInstructionOnceATurn) {
  constexpr int kSteps = 2;
  const program::Program program = compile::compile(pipeline_request());
  const Recordings recordings(program, GetParam(), kSteps);
  for (int rank = 0; rank < 4; ++rank) {
    const program::RankList& list = program.list_of(base::Rank(rank));
    std::map<std::pair<int, int>, int> seen;
    for (const Ran& ran : recordings.ranks[static_cast<size_t>(rank)]) {
      ++seen[{ran.instance, ran.instruction}];
      EXPECT_LT(ran.begin, ran.end);
    }
    size_t expected = 0;
    for (size_t n = 0; n < list.instances.size(); ++n) {
      const size_t count = program.segments[list.instances[n].segment].instructions.size();
      expected += count;
      for (size_t i = 0; i < count; ++i)
        EXPECT_EQ((seen[{static_cast<int>(n), static_cast<int>(i)}]), kSteps) << "rank " << rank;
    }
    EXPECT_EQ(seen.size(), expected);
  }
}

TEST_P(Times, QueuesAreInOrderAndEventsAreWaitedFor) {
  const program::Program program = compile::compile(pipeline_request());
  const Recordings recordings(program, GetParam(), 1);
  for (int rank = 0; rank < 4; ++rank) {
    const program::RankList& list = program.list_of(base::Rank(rank));
    std::map<program::Queue, double> end_of_queue;
    std::map<int, double> fired;  // event -> when
    for (const Ran& ran : recordings.ranks[static_cast<size_t>(rank)]) {
      const program::Instance& instance = list.instances[static_cast<size_t>(ran.instance)];
      const program::Instruction& i = program.segments[instance.segment].instructions[ran.instruction];
      EXPECT_GE(ran.begin, end_of_queue[i.queue]) << "rank " << rank << ": " << program::to_text(i);
      end_of_queue[i.queue] = ran.end;
      for (int event : i.waits) {
        const auto when = fired.find(instance.first_event + event);
        ASSERT_NE(when, fired.end()) << "rank " << rank << ": " << program::to_text(i);
        EXPECT_GE(ran.begin, when->second);
      }
      if (i.fires) fired[instance.first_event + *i.fires] = ran.end;
    }
  }
}

/// A rank is told between runs whether to tell its times.
TEST(TimesOfSomeSteps, AreToldWhileAskedFor) {
  const program::Program program = compile::compile(pipeline_request());
  int64_t told = 0, looks = 0;
  std::mutex mutex;
  Options options;
  options.clock = [&] {
    const std::lock_guard lock(mutex);
    return static_cast<double>(++looks);
  };
  Crew crew(program, [](base::Rank) { return std::make_unique<MadeUpData>(); }, options);
  const auto tell = [&](const run::Times& times) {
    crew.each([&](base::Rank, Rank& rank) { rank.tell_times(times); });
  };
  crew.each([&](base::Rank id, Rank& rank) { fill_state(program, id, rank); });
  crew.run(1);
  EXPECT_EQ(told, 0);
  tell([&](base::Rank, int, int, double, double) {
    const std::lock_guard lock(mutex);
    ++told;
  });
  crew.run(2);
  const int64_t of_two = std::exchange(told, 0);
  EXPECT_GT(of_two, 0);
  tell({});
  crew.run(1);
  EXPECT_EQ(told, 0);
}

TEST(TimesOfSomeSteps, NeedAClock) {
  const program::Program program = compile::compile(pipeline_request());
  Crew crew(program, [](base::Rank) { return std::make_unique<MadeUpData>(); }, {});
  EXPECT_THROW(
      crew.each([](base::Rank, Rank& rank) { rank.tell_times([](base::Rank, int, int, double, double) {}); }),
      base::CheckError);
}

TEST(TimesOfInline, NothingOverlaps) {
  const program::Program program = compile::compile(pipeline_request());
  const Recordings recordings(program, Order::in_order, 2);
  for (const std::vector<Ran>& ran : recordings.ranks)
    for (size_t i = 1; i < ran.size(); ++i) EXPECT_LT(ran[i - 1].end, ran[i].begin);
}

}  // namespace
}  // namespace pleat::run
