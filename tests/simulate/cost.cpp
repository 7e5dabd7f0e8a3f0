// SPDX-License-Identifier: Apache-2.0
// Costs and shared resources: on a machine of round numbers, so that times can be worked out on paper.
#include "simulate/cost.h"

#include <gtest/gtest.h>

#include "compiled.h"
#include "hand_made.h"
#include "simulate/machine.h"

namespace pleat::simulate {
namespace {

/// One byte and one operation in fp32 a nanosecond and core; nothing costs anything just to begin.
target::Target round_machine(int cores = 2) {
  target::Target target;
  target.cores = cores;
  target.flops_f32 = 1e9, target.flops_bf16 = 4e9;
  target.core_bandwidth = 1e9, target.memory_bandwidth = 1.5e9;
  target.call_seconds = 0, target.message_seconds = 0;
  return target;
}

Instruction matmul(int64_t m, int64_t n, int64_t k, base::DType dtype = base::DType::f32) {
  const auto matrix = [&](int64_t rows, int64_t columns) {
    return program::Region{program::Area::scratch, 0, graph::OperandType::dense(dtype, {rows, columns}), -1};
  };
  Instruction instruction;
  instruction.op = graph::Op::matmul;
  instruction.attributes = {{"transpose_a", int64_t{0}}, {"transpose_b", int64_t{0}}};
  instruction.reads = {matrix(m, k), matrix(k, n)};
  instruction.results = {{matrix(m, n), program::Mode::write}};
  return instruction;
}

TEST(Cost, is_arithmetic_or_memory_whichever_takes_longer) {
  EXPECT_EQ(work_of(matmul(100, 100, 100), round_machine(), 1, {}).ns, 2'000'000);
  EXPECT_EQ(work_of(matmul(100, 100, 100), round_machine(), 2, {}).ns, 1'000'000);
  EXPECT_EQ(work_of(matmul(100, 100, 100), round_machine(), 7, {}).ns, 1'000'000);  // there are no more cores
  EXPECT_EQ(work_of(matmul(100, 100, 100, base::DType::bf16), round_machine(), 1, {}).ns, 500'000);
  const int64_t bytes = 4 * (100 + 100 + 100 * 100);
  EXPECT_EQ(work_of(matmul(100, 100, 1), round_machine(), 1, {}).ns, bytes);
  EXPECT_EQ(work_of(matmul(100, 100, 1), round_machine(), 2, {}).ns, bytes * 2 / 3);  // both cores have 1.5
}

TEST(Cost, a_call_costs_something_and_a_factor_scales_the_rest) {
  target::Target target = round_machine();
  target.call_seconds = 3e-6;
  Calibration calibration;
  calibration.factor[static_cast<size_t>(graph::Op::matmul)] = 1.5;
  EXPECT_EQ(work_of(matmul(100, 100, 100), target, 1, calibration).ns, 3'000'000 + 3'000);
}

TEST(Cost, transfers_are_copies_by_the_members_themselves) {
  const auto ns = [](const Instruction& instruction, int64_t members) {
    const Transfer transfer = transfer_of(instruction, members, round_machine(), {});
    return std::pair{transfer.work[0].ns, transfer.work[1].ns};
  };
  EXPECT_EQ(ns(send(1, Queue::forward_out, "", 100), 2), (std::pair<int64_t, int64_t>{0, 0}));
  EXPECT_EQ(ns(receive(1, Queue::forward_out, "", 100), 2), (std::pair<int64_t, int64_t>{800, 0}));
  EXPECT_EQ(ns(all_reduce({}, "", 100), 1), (std::pair<int64_t, int64_t>{0, 0}));
  EXPECT_EQ(ns(all_reduce({}, "", 100), 4), (std::pair<int64_t, int64_t>{500, 600}));
}

TEST(Cost, a_receiver_copies_on_its_own_time) {
  // The copy of 800 ns stands between a and b, which come one after the other on the receiver's thread.
  HandMade made(stages_of(2));
  made.add(0, send(1, Queue::forward_out, "to", 100));
  made.add(1, receive(-1, Queue::forward_in, "from", 100));
  made.add(1, compute("b"));
  Options options;
  options.turns = 1;
  const int64_t b = work_of(compute("b"), round_machine(), 1, {}).ns;
  ASSERT_GT(b, 0);
  EXPECT_EQ(simulate(made.program(), round_machine(), options).step_ns, 800 + b);
  target::Target slow = round_machine();
  slow.message_seconds = 5e-6;  // meanwhile b runs
  EXPECT_EQ(simulate(made.program(), slow, options).step_ns, 5000 + 800);
}

TEST(Machine, memory_goes_evenly_to_those_that_ask_for_more_than_their_share) {
  target::Target target = round_machine(3);
  target.memory_bandwidth = 10e9;
  Machine machine(target, {1, 1, 1});
  machine.start(0, {100, 1, 1.0}, 0);
  machine.start(1, {100, 1, 9.0}, 0);
  machine.start(2, {200, 1, 9.0}, 0);
  EXPECT_EQ(machine.next_end(0), 100);  // the first has all it asks for, 9 are left for the other two
  EXPECT_EQ(machine.take_ended(100), std::vector<int>{0});
  // 50 of the second are done. They share 10: at 5/9 the second needs 90 more.
  EXPECT_EQ(machine.next_end(100), 190);
  EXPECT_EQ(machine.take_ended(190), std::vector<int>{1});
  EXPECT_EQ(machine.next_end(190), 290);  // 100 of 200 are done, the rest at full speed
}

TEST(Machine, a_walker_counts_for_all_its_ranks) {
  Machine machine(machine_of(4), {4, 4});
  machine.start(0, {100, 1, 0}, 0);
  EXPECT_EQ(machine.next_end(0), 100);
  machine.start(1, {100, 1, 0}, 50);
  EXPECT_EQ(machine.next_end(50), 150);
  EXPECT_EQ(machine.take_ended(150), std::vector<int>{0});
  EXPECT_EQ(machine.next_end(150), 200);
}

TEST(Cost, every_instruction_of_a_training_step_has_one) {
  const Program program = expert_program();
  for (const program::Segment& segment : program.segments)
    for (const Instruction& instruction : segment.instructions) {
      if (graph::is_communication(instruction.op)) continue;
      EXPECT_GT(cost_of(instruction).bytes, 0) << program::to_text(instruction);
      EXPECT_GT(work_of(instruction, round_machine(), 1, {}).ns, 0) << program::to_text(instruction);
    }
}

}  // namespace
}  // namespace pleat::simulate
