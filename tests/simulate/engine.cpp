// SPDX-License-Identifier: Apache-2.0
// The event engine on Programs small enough to work out on paper.
#include <gtest/gtest.h>

#include "hand_made.h"

namespace pleat::simulate {
namespace {

using layout::Axis;

std::string message_of(const Program& program, const Options& options) {
  try {
    simulate(program, machine_of(2), options);
  } catch (const base::CheckError& error) {
    return error.what();
  }
  return "no error";
}

testing::AssertionResult says(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << part << "' is not in:\n" << text;
}

const Span& span_of(const Result& result, int32_t rank, const std::string& name) {
  for (const Span& span : result.spans)
    if (span.rank == rank && result.labels[span.label].name == name) return span;
  throw std::runtime_error("no span " + name);
}

TEST(Engine, ranks_share_cores_evenly) {
  HandMade made(replicas(4));
  made.add(0, compute("work"));
  const Options options = with_durations({{"work", 1000}});
  EXPECT_EQ(simulate(made.program(), machine_of(4), options).step_ns, 1000);
  EXPECT_EQ(simulate(made.program(), machine_of(2), options).step_ns, 2000);
  EXPECT_EQ(simulate(made.program(), machine_of(1), options).step_ns, 4000);
  EXPECT_EQ(simulate(made.program(), machine_of(3), options).step_ns, 1334);  // 1333 1/3, up to a whole one
  EXPECT_EQ(simulate(made.program(), machine_of(2), options).core_use, 1.0);
  EXPECT_EQ(simulate(made.program(), machine_of(8), options).core_use, 0.5);
}

TEST(Engine, a_rank_gets_the_core_that_another_leaves) {
  HandMade made(stages_of(2));
  made.add(0, compute("short"));
  made.add(1, compute("long"));
  const Result result =
      simulate(made.program(), machine_of(1), with_durations({{"short", 100}, {"long", 300}}, 1));
  EXPECT_EQ(span_of(result, 0, "scale short").duration_ns, 200);  // half a core
  EXPECT_EQ(span_of(result, 1, "scale long").duration_ns, 400);   // then a whole one
}

TEST(Engine, a_transfer_begins_when_both_have_posted) {
  for (const auto& [sender, receiver] : {std::pair{70, 20}, {20, 70}}) {
    HandMade made(stages_of(2));
    const int32_t sent = made.add(0, compute("before send"));
    made.add(0, send(1, Queue::forward_out), {on(sent)});
    const int32_t ready = made.add(1, compute("before receive"));
    const int32_t arrived = made.add(1, receive(-1, Queue::forward_in), {on(ready)});
    made.add(1, compute("use"), {on(arrived)});
    const Options options = with_durations(
        {{"before send", sender}, {"before receive", receiver}, {"send", 5}, {"receive", 5}, {"use", 10}}, 1);
    EXPECT_EQ(simulate(made.program(), machine_of(2), options).step_ns, 70 + 5 + 10);
  }
}

TEST(Engine, a_collective_waits_for_its_last_member) {
  HandMade made(stages_of(3));
  for (int32_t stage = 0; stage < 3; ++stage) {
    const int32_t done = made.add(stage, compute("work " + std::to_string(stage)));
    const int32_t summed = made.add(stage, all_reduce({Axis::pp}), {on(done)});
    made.add(stage, compute("use"), {on(summed)});
  }
  const Options options =
      with_durations({{"work 0", 10}, {"work 1", 90}, {"work 2", 30}, {"all_reduce", 7}, {"use", 1}}, 1);
  const Result result = simulate(made.program(), machine_of(3), options);
  for (int32_t rank = 0; rank < 3; ++rank) EXPECT_EQ(span_of(result, rank, "scale use").start_ns, 97);
}

TEST(Engine, the_head_of_a_queue_holds_up_what_stands_behind_it) {
  // Rank 0 sends a and b; a's receiver is late. On one queue b waits behind a, on two it does not.
  for (const Queue second : {Queue::forward_out, Queue::backward_out}) {
    HandMade made(stages_of(3));
    made.add(1, send(1, Queue::forward_out, "a"));
    made.add(1, send(-1, second, "b"));
    const int32_t late = made.add(2, compute("late"));
    made.add(2, receive(-1, Queue::forward_in), {on(late)});
    const int32_t arrived = made.add(0, receive(1, Queue::backward_in));
    made.add(0, compute("use"), {on(arrived)});
    const Result result =
        simulate(made.program(), machine_of(3), with_durations({{"late", 50}, {"use", 1}}, 1));
    EXPECT_EQ(span_of(result, 0, "scale use").start_ns, second == Queue::forward_out ? 50 : 0);
  }
}

TEST(Engine, a_compute_head_holds_up_the_queue_too) {
  HandMade made(stages_of(2));
  const int32_t late = made.add(0, compute("late"));
  made.add(0, send(1, Queue::forward_out), {on(late)});
  const int32_t arrived = made.add(1, receive(-1, Queue::forward_in));
  made.add(1, compute("use"), {on(arrived)});
  made.add(1, compute("independent"));
  const Result result = simulate(made.program(), machine_of(2),
                                 with_durations({{"late", 50}, {"use", 1}, {"independent", 10}}, 1));
  EXPECT_EQ(span_of(result, 1, "scale independent").start_ns, 51);
}

/// a (50), b (50), then a collective that b of this turn (lag 0, in front of b) or of the next one (lag 1)
/// waits for.
Program seam(int32_t lag) {
  HandMade made(replicas(2));
  const int32_t a = made.add(0, compute("a"));
  const int32_t reduced_event = 2 - (lag == 0 ? 1 : 0);
  if (lag == 0) made.add(0, all_reduce({Axis::dp}), {on(a)});
  const int32_t b = made.add(0, compute("b"), {on(reduced_event, lag)});
  if (lag == 1) made.add(0, all_reduce({Axis::dp}), {on(b)});
  return made.program();
}

TEST(Engine, what_the_next_turn_waits_for_overlaps_with_its_beginning) {
  const auto step = [](int32_t lag, int64_t reduce_ns) {
    return simulate(seam(lag), machine_of(2),
                    with_durations({{"a", 50}, {"b", 50}, {"all_reduce", reduce_ns}}, 5))
        .step_ns;
  };
  EXPECT_EQ(step(0, 40), 140);  // in the way
  EXPECT_EQ(step(1, 40), 100);  // hidden behind a of the next turn
  EXPECT_EQ(step(1, 80), 130);  // all but the 50 of a
}

TEST(Engine, a_first_turn_does_not_wait_for_the_turn_before) {
  const Result result =
      simulate(seam(1), machine_of(2), with_durations({{"a", 50}, {"b", 50}, {"all_reduce", 80}}, 2));
  EXPECT_EQ(result.turn_ends_ns, (std::vector<int64_t>{180, 310}));
}

TEST(Engine, ranks_that_wait_for_each_other_are_named) {
  HandMade made(stages_of(2));
  const int32_t from_next = made.add(0, receive(1, Queue::backward_in, "from stage 1"));
  made.add(0, send(1, Queue::forward_out, "to stage 1"), {on(from_next)});
  const int32_t from_first = made.add(1, receive(-1, Queue::forward_in, "from stage 0"));
  made.add(1, send(-1, Queue::backward_out, "to stage 0"), {on(from_first)});
  const std::string text = message_of(made.program(), with_durations({}));
  for (const char* part :
       {"deadlock", "rank 0, from stage 1", "posted; waits for rank 1", "rank 1, from stage 0",
        "posted; waits for rank 0", "event 0 (from stage 1", "receive"})
    EXPECT_TRUE(says(text, part));
}

TEST(Engine, an_event_that_nothing_fires_is_named) {
  HandMade made;
  made.add(0, compute("a"));
  made.program().lists[0].events = 2;
  made.program().lists[0].instances[0].waits = {{Queue::compute, 1, 0}};
  EXPECT_TRUE(says(message_of(made.program(), with_durations({})), "waits for event 1, which nothing fires"));
}

TEST(Engine, the_two_sides_of_a_channel_must_agree) {
  HandMade made(stages_of(2));
  made.add(0, send(1, Queue::forward_out, "to", 3));
  made.add(1, receive(-1, Queue::forward_in, "from", 4));
  EXPECT_TRUE(says(message_of(made.program(), with_durations({})), "the two are not one operation"));
}

TEST(Engine, a_missing_list_is_refused_unless_its_ranks_are_taken_as_ready) {
  Program program = pipeline(config::Schedule::one_f_one_b, 3, 4);
  program.lists = {program.lists[1]};
  Options options = with_durations({{"F", 1}, {"B", 2}});
  const std::string text = message_of(program, options);
  EXPECT_TRUE(says(text, "rank 1 of stage 1 talks to rank 0 of stage 0"));
  EXPECT_TRUE(says(text, "compile all stages"));
  options.absent_ranks_are_ready = true;
  const Result result = simulate(program, machine_of(1), options);
  EXPECT_EQ(result.step_ns, 4 * 3);
  EXPECT_EQ(result.stages.at(0).stage, 1);
  EXPECT_EQ(result.stages.at(0).bubble, 0);
}

TEST(Engine, a_damaged_program_is_refused) {
  Program events = pipeline(config::Schedule::gpipe, 2, 2);
  events.lists[0].events = 1;
  EXPECT_TRUE(says(message_of(events, with_durations({})), "of a list of 1 events"));
  Program segments = pipeline(config::Schedule::gpipe, 2, 2);
  segments.lists[0].instances[0].segment = 99;
  EXPECT_TRUE(says(message_of(segments, with_durations({})), "an instance of segment 99"));
  Program party = pipeline(config::Schedule::gpipe, 2, 2);
  for (program::Segment& segment : party.segments) segment.instructions[0].party.reset();
  EXPECT_TRUE(says(message_of(party, with_durations({})), "a communication without a party"));
  Program astray = pipeline(config::Schedule::gpipe, 2, 2);
  for (program::Segment& segment : astray.segments)
    if (segment.instructions[0].party) segment.instructions[0].party->stage_offset *= 5;
  EXPECT_TRUE(says(message_of(astray, with_durations({})), "of 2 stages it is another one that it may name"));
}

TEST(Engine, the_same_program_gives_the_same_result) {
  const Program program = pipeline(config::Schedule::one_f_one_b, 4, 9);
  const Options options = with_durations({{"F", 101}, {"B", 203}, {"send", 7}, {"receive", 13}});
  const Result first = simulate(program, machine_of(3), options),
               second = simulate(program, machine_of(3), options);
  EXPECT_EQ(first.turn_ends_ns, second.turn_ends_ns);
  EXPECT_EQ(first.spans, second.spans);
  // The lists may stand in any order.
  Program turned = program;
  std::swap(turned.lists[0], turned.lists[3]);
  EXPECT_EQ(first.step_ns, simulate(turned, machine_of(3), options).step_ns);
}

}  // namespace
}  // namespace pleat::simulate
