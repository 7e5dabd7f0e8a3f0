// SPDX-License-Identifier: Apache-2.0
// The bubble of a schedule is its closed form, exactly: (P - 1)(F + B) of (M + P - 1)(F + B) on every stage.
#include <gtest/gtest.h>

#include <map>

#include "compile/compile.h"
#include "hand_made.h"
#include "kernels/catalogue.h"

namespace pleat::simulate {
namespace {

constexpr int64_t kForward = 1, kBackward = 2;

void expect_closed_form(const Result& result, int stages, int micro_batches) {
  const int64_t span = (micro_batches + stages - 1) * (kForward + kBackward);
  EXPECT_EQ(result.pipeline_ns, span);
  EXPECT_EQ(result.step_ns, span);
  ASSERT_EQ(result.stages.size(), static_cast<size_t>(stages));
  const int64_t idle = (stages - 1) * (kForward + kBackward);
  for (const StageResult& stage : result.stages) {
    EXPECT_EQ(stage.busy_ns, micro_batches * (kForward + kBackward));
    EXPECT_EQ(stage.bubble, static_cast<double>(idle) / static_cast<double>(span));
  }
}

class Schedules : public testing::TestWithParam<config::Schedule> {};
INSTANTIATE_TEST_SUITE_P(, Schedules, testing::Values(config::Schedule::gpipe, config::Schedule::one_f_one_b),
                         [](const auto& tried) {
                           return tried.param == config::Schedule::gpipe ? "gpipe" : "one_f_one_b";
                         });

TEST_P(Schedules, bubble_is_the_closed_form) {
  for (int stages = 1; stages <= 8; ++stages)
    for (int micro_batches = 1; micro_batches <= 16; ++micro_batches) {
      SCOPED_TRACE(fmt::format("{} stages, {} micro-batches", stages, micro_batches));
      const Program program = pipeline(GetParam(), stages, micro_batches);
      const Options options = with_durations({{"F", kForward}, {"B", kBackward}});
      expect_closed_form(simulate(program, machine_of(stages), options), stages, micro_batches);
    }
}

TEST(Bubble, waits_for_transfers_that_take_time) {
  // Two stages, one micro-batch: F, transfer, F, B, transfer, B.
  const Program program = pipeline(config::Schedule::gpipe, 2, 1);
  const Options options = with_durations({{"F", 10}, {"B", 20}, {"send", 3}, {"receive", 3}});
  const Result result = simulate(program, machine_of(2), options);
  EXPECT_EQ(result.pipeline_ns, 2 * (10 + 20 + 3));
  EXPECT_EQ(result.stages[0].bubble, 36.0 / 66);
}

TEST(Bubble, is_the_same_one_instruction_at_a_time_for_gpipe) {
  // In list order, rendezvous on both sides: transfers that take no time cost gpipe nothing.
  Options options = with_durations({{"F", kForward}, {"B", kBackward}}, 1);
  options.order = Order::in_order;
  expect_closed_form(simulate(pipeline(config::Schedule::gpipe, 2, 6), machine_of(4), options), 2, 6);
}

config::ModelConfig small_model(int64_t layers) {
  config::ModelConfig m = config::class_defaults(config::Family::qwen3);
  m.vocab_size = 32, m.hidden_size = 16, m.intermediate_size = 16, m.num_hidden_layers = layers;
  m.num_attention_heads = 2, m.num_key_value_heads = 1, m.head_dim = 8;
  return m;
}

/// Every forward and backward segment takes its time in its first instruction.
Options per_segment(const Program& program) {
  std::map<const Instruction*, int64_t> ns;
  for (const program::Segment& segment : program.segments) {
    if (segment.phase != Phase::forward && segment.phase != Phase::backward) continue;
    for (const Instruction& instruction : segment.instructions) {
      if (instruction.queue != Queue::compute) continue;
      ns[&instruction] = segment.phase == Phase::forward ? kForward : kBackward;
      break;
    }
  }
  Options options;
  options.duration = [ns](const Instruction& instruction) {
    const auto found = ns.find(&instruction);
    return found == ns.end() ? int64_t{0} : found->second;
  };
  return options;
}

TEST_P(Schedules, bubble_of_compiled_programs_is_the_closed_form) {
  for (const auto& [stages, micro_batches] :
       {std::pair{1, 3}, {2, 1}, {2, 4}, {3, 7}, {4, 2}, {4, 16}, {8, 5}}) {
    SCOPED_TRACE(fmt::format("{} stages, {} micro-batches", stages, micro_batches));
    compile::Request request;
    request.model = small_model(stages);
    request.layout = layout::Layout(stages_of(stages));
    request.micro_batch = 1, request.sequence = 4, request.micro_batches = micro_batches;
    request.schedule = GetParam();
    request.catalogue = kernels::reference_catalogue();
    const Program program = compile::compile(request);
    expect_closed_form(simulate(program, machine_of(stages), per_segment(program)), stages, micro_batches);
  }
}

}  // namespace
}  // namespace pleat::simulate
