// SPDX-License-Identifier: Apache-2.0
// The watchdog: a rank that gets nowhere ends with its own name, where it stands and whom it waits for.
#include <gtest/gtest.h>

#include "base/errors.h"
#include "comm/fake/fake.h"
#include "programs.h"
#include "small_run.h"

namespace pleat::run {
namespace {

using graph::Op;
using program::Area;
using ::testing::TestWithParam;

/// Time passes only while nobody looks: each look is a second later, so the watchdog strikes without a wait.
Options impatient(Order order) {
  Options options;
  options.order = order;
  options.stall_seconds = 5;
  options.clock = [seconds = 0.0]() mutable { return seconds += 10; };
  return options;
}

std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const base::CommError& error) {
    return error.what();
  }
  return "no error";
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

class Stall : public TestWithParam<Order> {};
INSTANTIATE_TEST_SUITE_P(, Stall, testing::Values(Order::in_order, Order::queues), [](const auto& order) {
  return order.param == Order::queues ? "Queues" : "InOrder";
});

TEST_P(Stall, PeerThatNeverPosts) {
  const program::Program program = compile::compile(pipeline_request());
  const base::Rank id(2);  // of the second stage: its dispatch is with rank 3
  comm::FakeCommunicator communicator(id, 4);
  communicator.stall([](const comm::Posted& posted) { return posted.kind == comm::Kind::exchange; });
  MadeUpData ports;
  Rank rank(program, id, communicator, ports, impatient(GetParam()));
  fill_state(program, id, rank);
  const std::string text = error_of([&] { rank.run(1); });
  EXPECT_TRUE(text.starts_with("rank 2 stalled: nothing moved for ")) << text;
  EXPECT_TRUE(contains(text, "rank 2, forward 1, micro-batch 0, instruction ")) << text;
  EXPECT_TRUE(contains(text, "group exchange ")) << text;
  EXPECT_TRUE(contains(text, "\n    waits for rank 3")) << text;
}

TEST_P(Stall, ReceiveThatNobodySends) {
  const program::Region x = floats(Area::frame, 0, 8);
  program::Program program =
      by_hand({{load("x", x), transfer(Op::send, x, 1)},
               {transfer(Op::receive, x, -1), transfer(Op::receive, x, -1, "lost"), emit("x", x)}});
  Options options = impatient(GetParam());
  options.clock = {};
  options.stall_seconds = 0.2;
  options.clock = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
  // Rank 0 must stay, or the transport itself would see that it has left: the crew keeps it until all are
  // done.
  Crew crew(program, [](base::Rank) { return std::make_unique<MadeUpData>(); }, options);
  const std::string text = error_of([&] { crew.run(1); });
  EXPECT_TRUE(text.starts_with("rank 1 stalled")) << text;
  EXPECT_TRUE(contains(text, "segment 1, micro-batch -1, instruction 1: forward_in receive")) << text;
  EXPECT_TRUE(contains(text, "\"lost\"")) << text;
  EXPECT_TRUE(contains(text, "waits for rank 0")) << text;
}

TEST_P(Stall, EventThatNothingFires) {
  const program::Region x = floats(Area::scratch, 0, 8), y = floats(Area::scratch, 64, 8);
  program::Instruction waiting = scaled(x, y);
  waiting.waits = {0};
  program::Instruction firing = emit("y", y);  // waits for the other in turn
  firing.fires = 0;
  firing.waits = {1};
  waiting.fires = 1;
  const program::Program program = by_hand({{load("x", x), waiting, firing}});
  comm::FakeCommunicator communicator(base::Rank(0), 1);
  MadeUpData ports;
  Rank rank(program, base::Rank(0), communicator, ports, impatient(GetParam()));
  const std::string text = error_of([&] { rank.run(1); });
  EXPECT_TRUE(contains(text, "instruction 1: compute scale")) << text;
  EXPECT_TRUE(contains(text, "waits for emit of segment 0, micro-batch -1, instruction 2")) << text;
}

TEST(StallOptions, NeedAClock) {
  const program::Program program = by_hand({{load("x", floats(Area::scratch, 0, 8))}});
  comm::FakeCommunicator communicator(base::Rank(0), 1);
  MadeUpData ports;
  Options options;
  options.stall_seconds = 1;
  EXPECT_THROW(Rank(program, base::Rank(0), communicator, ports, options), base::CheckError);
}

}  // namespace
}  // namespace pleat::run
