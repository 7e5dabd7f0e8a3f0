// SPDX-License-Identifier: Apache-2.0
// What a simulation says of a compiled expert model on four ranks: spans, trace, peak.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "compiled.h"
#include "hand_made.h"

namespace pleat::simulate {
namespace {

class Expert : public testing::Test {
 protected:
  Program program = expert_program();
  Options options;
};

TEST_F(Expert, every_instruction_of_a_turn_has_one_span) {
  const Result result = simulate(program, machine_of(2), options);
  std::map<int32_t, int64_t> spans;
  for (const Span& span : result.spans) ++spans[span.rank];
  const auto instructions = [&](int32_t rank) {
    return program.instructions(program.list_of(base::Rank(rank)));
  };
  EXPECT_EQ(spans, (std::map<int32_t, int64_t>{{0, instructions(0)}, {2, instructions(2)}}));
}

TEST_F(Expert, spans_of_one_queue_do_not_overlap_and_those_of_the_thread_neither) {
  for (const Order order : {Order::queues, Order::in_order}) {
    options.order = order;
    options.spans_of_all_ranks = true;
    const Result result = simulate(program, machine_of(2), options);
    std::map<std::pair<int32_t, Queue>, int64_t> end_of_queue;
    std::map<int32_t, int64_t> end_of_thread;
    for (const Span& span : result.spans) {
      int64_t& queue_end = end_of_queue[{span.rank, span.queue}];
      EXPECT_GE(span.start_ns, queue_end);
      queue_end = span.start_ns + span.duration_ns;
      const std::string& kind = result.labels[span.label].kind;
      if (kind == "transfer" || kind == "collective") continue;
      EXPECT_GE(span.start_ns, end_of_thread[span.rank]);
      end_of_thread[span.rank] = span.start_ns + span.duration_ns;
    }
    EXPECT_EQ(end_of_thread.size(), 4u);
  }
}

TEST_F(Expert, the_trace_is_json_with_a_process_per_rank_and_a_thread_per_queue) {
  options.spans_of_all_ranks = true;
  const Result result = simulate(program, machine_of(2), options);
  const nlohmann::json trace = nlohmann::json::parse(trace_json(result));
  std::map<int, std::string> ranks;
  size_t complete = 0;
  double end = 0;
  for (const nlohmann::json& event : trace.at("traceEvents")) {
    if (event.at("ph") == "M" && event.at("name") == "process_name")
      ranks[event.at("pid")] = event.at("args").at("name");
    if (event.at("ph") != "X") continue;
    ++complete;
    EXPECT_TRUE(ranks.contains(event.at("pid")));
    EXPECT_GE(event.at("ts").get<double>(), 0);
    EXPECT_FALSE(event.at("name").get<std::string>().empty());
    end = std::max(end, event.at("ts").get<double>() + event.at("dur").get<double>());
  }
  EXPECT_EQ(ranks, (std::map<int, std::string>{{0, "rank 0"}, {1, "rank 1"}, {2, "rank 2"}, {3, "rank 3"}}));
  EXPECT_EQ(complete, result.spans.size());
  EXPECT_GT(end, 0);
}

TEST_F(Expert, peak_is_the_arena_and_the_allowance) {
  program.allowance = 12345;
  const Result result = simulate(program, machine_of(2), options);
  ASSERT_EQ(result.stages.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(result.stages[i].peak_bytes, program.arena_bytes(program.lists[i]) + 12345);
    EXPECT_EQ(result.stages[i].ranks, 2);
  }
}

TEST_F(Expert, cores_bound_a_step_from_below_and_work_from_above) {
  const Result four = simulate(program, machine_of(4), options),
               two = simulate(program, machine_of(2), options),
               one = simulate(program, machine_of(1), options);
  EXPECT_LT(four.step_ns, two.step_ns);
  EXPECT_LT(two.step_ns, one.step_ns);
  for (const Result* result : {&four, &two, &one}) {
    EXPECT_GT(result->core_use, 0);
    EXPECT_LE(result->core_use, 1 + 1e-3);
  }
  int64_t work = 0;
  for (const OpTime& time : one.by_operation) work += time.ns;
  EXPECT_GE(one.step_ns, work);  // one core cannot do it faster
}

TEST_F(Expert, the_same_twice) {
  const Result first = simulate(program, machine_of(2), options),
               second = simulate(program, machine_of(2), options);
  EXPECT_EQ(first.turn_ends_ns, second.turn_ends_ns);
  EXPECT_EQ(first.spans, second.spans);
}

}  // namespace
}  // namespace pleat::simulate
