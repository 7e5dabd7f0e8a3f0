// SPDX-License-Identifier: Apache-2.0
// The same Program gives the same bits in list order, by queues in whatever order their events allow, and
// with any number of workers.
#include <gtest/gtest.h>

#include "programs.h"
#include "small_run.h"

namespace pleat::run {
namespace {

constexpr int64_t kSteps = 3;

Options ordered(Order order, uint64_t seed = 0) {
  Options options;
  options.order = order;
  options.shuffle_seed = seed;
  return options;
}

/// A comparison of outcomes in which nothing happened would say nothing.
void expect_trained(const program::Program& program, const Outcome& outcome) {
  const Outcome start = outcome_of(program, 0, {});
  for (size_t rank = 0; rank < outcome.ranks.size(); ++rank) {
    int moved = 0;
    for (const auto& [name, bytes] : start.ranks[rank])
      moved += outcome.ranks[rank].at(name) != bytes ? 1 : 0;
    EXPECT_EQ(moved, static_cast<int>(start.ranks[rank].size())) << "rank " << rank;
    EXPECT_GT(outcome.ranks[rank].size(), start.ranks[rank].size()) << "rank " << rank << " gave nothing out";
  }
}

TEST(Order, InOrderIsQueues) {
  for (const auto schedule : {config::Schedule::gpipe, config::Schedule::one_f_one_b}) {
    compile::Request request = pipeline_request();
    request.schedule = schedule;
    const program::Program program = compile::compile(request);
    const Outcome in_order = outcome_of(program, kSteps, ordered(Order::in_order));
    expect_trained(program, in_order);
    EXPECT_EQ(difference(in_order, outcome_of(program, kSteps, ordered(Order::queues))), "");
  }
}

TEST(Order, FiftyShuffles) {
  const program::Program program = compile::compile(pipeline_request());
  const Outcome expected = outcome_of(program, kSteps, ordered(Order::queues));
  for (uint64_t seed = 1; seed <= 50; ++seed)
    ASSERT_EQ(difference(expected, outcome_of(program, kSteps, ordered(Order::queues, seed))), "")
        << "seed " << seed;
}

TEST(Order, StepsAreSteps) {
  const program::Program program = compile::compile(small_request(false, {.pp = 2}));
  const Outcome two = outcome_of(program, 2, {}), three = outcome_of(program, 3, {});
  for (size_t rank = 0; rank < two.ranks.size(); ++rank)
    for (const auto& [name, bytes] : two.ranks[rank])
      EXPECT_EQ(three.ranks[rank].at(name) == bytes, !name.starts_with("state")) << name;
}

TEST(Order, TeamsOfAnySize) {
  for (const base::DType activation : {base::DType::f32, base::DType::bf16}) {
    compile::Request request = pipeline_request();
    request.catalogue = kernels::catalogue();  // whose kernels share their work out
    request.activation = activation;
    const program::Program alone = compile::compile(request);
    const Outcome expected = outcome_of(alone, kSteps, {});
    expect_trained(alone, expected);
    for (int workers : {2, 3}) {
      request.threads = workers;
      EXPECT_EQ(difference(expected, outcome_of(compile::compile(request), kSteps, {})), "")
          << workers << " workers, " << base::name_of(activation);
    }
  }
}

}  // namespace
}  // namespace pleat::run
