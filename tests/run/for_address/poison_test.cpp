// SPDX-License-Identifier: Apache-2.0
// Only in the address build: bytes outside their lifetime are poisoned, so a kernel that reads them is
// reported.
#include <gtest/gtest.h>

#include "../programs.h"
#include "../small_run.h"
#include "comm/fake/fake.h"

namespace pleat::run {
namespace {

using program::Area;

/// In list order: the Programs here have no events between their queues.
void run_alone(const program::Program& program) {
  comm::FakeCommunicator communicator(base::Rank(0), 1);
  MadeUpData ports;
  Rank rank(program, base::Rank(0), communicator, ports, {.order = Order::in_order});
  rank.run(2);
}

const program::Region kFirst = floats(Area::scratch, 0, 16, 1), kSecond = floats(Area::scratch, 64, 16, 2);
const program::Region kThird = floats(Area::scratch, 128, 16, 3);

class PoisonDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(PoisonDeathTest, LiveBytesAreRead) {
  run_alone(
      by_hand({{load("x", kFirst), scaled(kFirst, kSecond), scaled(kSecond, kThird), emit("y", kThird)}}));
}

TEST_F(PoisonDeathTest, BytesOfADeadBufferAreNot) {
  program::Region late = kFirst;
  late.buffer = 4;  // the bytes of a buffer that ended two instructions before
  const program::Program program =
      by_hand({{load("x", kFirst), scaled(kFirst, kSecond), scaled(late, kThird), emit("y", kThird)}});
  EXPECT_DEATH(run_alone(program), "use-after-poison");
}

TEST_F(PoisonDeathTest, BytesThatNobodyWroteAreNot) {
  EXPECT_DEATH(run_alone(by_hand({{scaled(kFirst, kSecond), emit("y", kSecond)}})), "use-after-poison");
}

TEST_F(PoisonDeathTest, BytesOfTheStepBeforeAreNot) {
  const program::Region kept = floats(Area::step, 0, 16, 7);
  // Read before it is written: what is there in the second turn is of the first.
  const program::Program program = by_hand({{scaled(kept, kFirst), emit("y", kFirst), load("x", kept)}});
  EXPECT_DEATH(run_alone(program), "use-after-poison|use-after");
}

TEST_F(PoisonDeathTest, BytesBehindTheArenaAreNot) {
  program::Program program = by_hand({{load("x", kFirst), scaled(kFirst, kSecond), emit("y", kSecond)}});
  comm::FakeCommunicator communicator(base::Rank(0), 1);
  MadeUpData ports;
  Rank rank(program, base::Rank(0), communicator, ports, {});
  const std::span<std::byte> last = rank.bytes(kSecond);
  EXPECT_DEATH(last.data()[last.size()] = std::byte{1}, "use-after-poison");
}

TEST_F(PoisonDeathTest, CompiledProgramsStayInside) {
  for (const Order order : {Order::in_order, Order::queues}) {
    compile::Request request = pipeline_request();
    outcome_of(compile::compile(request), 2, {.order = order});
    request.catalogue = kernels::catalogue();
    request.activation = base::DType::bf16;
    outcome_of(compile::compile(request), 2, {.order = order});
  }
}

}  // namespace
}  // namespace pleat::run
