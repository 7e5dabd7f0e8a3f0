// SPDX-License-Identifier: Apache-2.0
// Only in the thread build: a Program that lacks one wait lets a rank overwrite what a peer is about to copy,
// and that is reported. The write is seen though it may come from generated code: run touches what effects()
// names.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "../programs.h"
#include "../small_run.h"

namespace pleat::run {
namespace {

using graph::Op;
using program::Area;

/// The second stage takes its time before it receives.
class Slow final : public MadeUpData {
 public:
  void fill(std::string_view port, int64_t step, int micro_batch, std::span<std::byte> bytes) override {
    if (port == "late") std::this_thread::sleep_for(std::chrono::milliseconds(300));
    MadeUpData::fill(port, step, micro_batch, bytes);
  }
};

/// Stage 0 computes y, sends it and computes it anew from z. The last must wait for the send (event 1).
program::Program overwriting(bool waits_for_send) {
  const program::Region x = floats(Area::frame, 0, 1024, 1), y = floats(Area::frame, 4096, 1024, 2);
  program::Instruction fill = load("x", x), send = transfer(Op::send, y, 1), first = scaled(x, y);
  program::Instruction again = scaled(x, y, 3.0);
  fill.fires = 0;
  first.waits = {0};
  first.fires = 1;
  send.waits = {1};
  send.fires = 2;
  if (waits_for_send) again.waits = {2};
  program::Instruction late = load("late", floats(Area::frame, 4096, 4, 3));
  program::Instruction receive = transfer(Op::receive, floats(Area::frame, 0, 1024, 4), -1);
  late.fires = 0;
  receive.waits = {0};
  return by_hand({{fill, first, send, again}, {late, receive}});
}

void run_and_leave(const program::Program& program) {
  {
    Crew crew(program, [](base::Rank) { return std::make_unique<Slow>(); }, {});
    crew.run(1);
  }
  std::exit(0);
}

constexpr int kSanitizersExitCode = 66;

class RaceDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(RaceDeathTest, AllWaits) {
  EXPECT_EXIT(run_and_leave(overwriting(true)), testing::ExitedWithCode(0), "^$");
}

TEST_F(RaceDeathTest, WithoutOneWait) {
  EXPECT_EXIT(run_and_leave(overwriting(false)), testing::ExitedWithCode(kSanitizersExitCode), "data race");
}

}  // namespace
}  // namespace pleat::run
