// SPDX-License-Identifier: Apache-2.0
// The recorder, told by hand what ranks would tell: turns, the typical one, medians, and a timeline that
// begins where a simulated one does.
#include "train/recorder.h"

#include <gtest/gtest.h>

#include "../equivalence/tiny_job.h"
#include "train/request.h"

namespace pleat::train {
namespace {

constexpr double kMicro = 1e-6;

program::Program experts() {
  return compile::compile(train_request(
      testing::tiny_job(testing::TinyModel::experts, "none", {"layout.pp=2", "layout.dp=2", "layout.ep=2"}),
      4));
}

/// Tells one turn of every rank: by default every instruction takes a microsecond and begins one after the
/// one before.
void tell(Recorder& recorder, const program::Program& program, double start, double each = 1) {
  for (int64_t rank = 0; rank < program.layout.world(); ++rank) {
    const run::Times times = recorder.start(base::Rank(rank));
    double now = start + static_cast<double>(rank) * kMicro;
    const auto& instances = program.list_of(base::Rank(rank)).instances;
    for (size_t i = 0; i < instances.size(); ++i) {
      const auto count = static_cast<int>(program.segments[instances[i].segment].instructions.size());
      for (int k = 0; k < count; ++k) {
        times(base::Rank(rank), static_cast<int>(i), k, now, now + each * kMicro);
        now += each * kMicro;
      }
    }
  }
}

int64_t instructions(const program::Program& program, bool communications = true) {
  int64_t count = 0;
  for (int64_t rank = 0; rank < program.layout.world(); ++rank)
    for (const program::Instance& instance : program.list_of(base::Rank(rank)).instances)
      for (const program::Instruction& i : program.segments[instance.segment].instructions)
        count += communications || !graph::is_communication(i.op);
  return count;
}

TEST(Recorder, CountsTheTurnsOfAllRanks) {
  const program::Program program = experts();
  Recorder recorder(program, 3, {});
  EXPECT_EQ(recorder.turns(), 0);
  for (int turn = 1; turn <= 5; ++turn) {
    tell(recorder, program, turn);
    EXPECT_EQ(recorder.turns(), std::min(turn, 3)) << "there is room for three";
  }
  EXPECT_EQ(recorder.typical_turn(), 1) << "neighbours on both sides";
  Recorder short_one(program, 3, {});
  tell(short_one, program, 0);
  EXPECT_EQ(short_one.typical_turn(), 0);
  short_one.start(base::Rank(0))(base::Rank(0), 0, 0, 1, 2);
  EXPECT_EQ(short_one.turns(), 1) << "half a turn is none";
}

TEST(Recorder, ATimelineHasEveryInstructionOnceAndBeginsAtZero) {
  const program::Program program = experts();
  Recorder recorder(program, 2, {});
  tell(recorder, program, 100);
  tell(recorder, program, 200);
  const std::vector<TimelineSpan> spans = recorder.timeline(1);
  ASSERT_EQ(static_cast<int64_t>(spans.size()), instructions(program));
  int64_t first = 1;
  std::map<std::string, int64_t> kinds;
  for (const TimelineSpan& span : spans) {
    EXPECT_GE(span.start_ns, 0);
    EXPECT_LE(span.duration_ns, 1001);
    ++kinds[span.kind];
    if (span.kind != "transfer" && span.kind != "collective") first = std::min(first, span.start_ns);
  }
  EXPECT_EQ(first, 0);
  for (const char* kind : {"forward", "backward", "transfer", "collective", "host", "update"})
    EXPECT_GT(kinds[kind], 0) << kind;
}

TEST(Recorder, UsesTheWordsAndQueuesOfSimulate) {
  const program::Program program = experts();
  Recorder recorder(program, 1, {});
  tell(recorder, program, 0);
  simulate::Options options;
  options.spans_of_all_ranks = true;
  const auto words = [](const std::vector<TimelineSpan>& spans) {
    std::vector<std::string> all;
    for (const TimelineSpan& s : spans)
      all.push_back(fmt::format("{} {} {} {}", s.rank, s.queue, s.kind, s.name));
    std::sort(all.begin(), all.end());
    return all;
  };
  EXPECT_EQ(words(recorder.timeline(0)),
            words(timeline_of(simulate::simulate(program, target::Target{}, options))));
}

int64_t sum(const Recorder::Nanoseconds& by_operation, bool communications) {
  int64_t sum = 0;
  for (size_t op = 0; op < by_operation.size(); ++op)
    if (graph::is_communication(static_cast<graph::Op>(op)) == communications) sum += by_operation[op];
  return sum;
}

TEST(Recorder, TimesByOperationAreMeansWithoutTheExtremes) {
  const program::Program program = experts();
  Recorder recorder(program, 4, {});
  tell(recorder, program, 0, 2);
  tell(recorder, program, 10, 500);  // something else had the machine
  tell(recorder, program, 20, 4);
  tell(recorder, program, 30, 1);
  const double all = 1e3 * 3 * static_cast<double>(instructions(program, false));
  EXPECT_NEAR(static_cast<double>(sum(recorder.ran(), false)), all, 1e-3 * all);
  EXPECT_EQ(sum(recorder.ran(), true), 0) << "communications wait";
  EXPECT_EQ(sum(recorder.worked(), false), 0) << "nobody's clock";
}

TEST(Recorder, WorkIsWhatTheThreadsClockSaysSinceTheInstructionBefore) {
  const program::Program program = experts();
  double clock = 100;
  Recorder recorder(program, 1, [&] { return clock += 5 * kMicro; });
  tell(recorder, program, 0);
  const int64_t computing = instructions(program, false), all = instructions(program);
  EXPECT_NEAR(static_cast<double>(sum(recorder.worked(), false)), 5e3 * static_cast<double>(computing), 1e3);
  EXPECT_NEAR(static_cast<double>(sum(recorder.worked(), true)), 5e3 * static_cast<double>(all - computing),
              1e3);
}

}  // namespace
}  // namespace pleat::train
