// SPDX-License-Identifier: Apache-2.0
// What a run leaves for its report, on one rank and on four, unbroken and resumed; and the report made again
// from those files.
#include <gtest/gtest.h>

#include <chrono>
#include <map>

#include "../equivalence/tiny_job.h"
#include "base/errors.h"
#include "train/profile.h"
#include "train/replace_file.h"
#include "train/request.h"
#include "train/run_report.h"
#include "train/train.h"

namespace pleat::train {
namespace {

namespace fs = std::filesystem;
using testing::TinyModel;

class RunFiles : public ::testing::Test {
 protected:
  RunFiles() { testing::write_tokens(folder_ / "tokens"); }

  config::Job job(TinyModel model, std::vector<std::string> overrides) const {
    overrides.push_back("run.directory=" + run().string());
    return testing::tiny_job(model, folder_ / "tokens", overrides);
  }
  config::Job experts() const {
    return job(TinyModel::experts, {"layout.pp=2", "layout.dp=2", "layout.ep=2", "checkpoint.every=4"});
  }

  /// What was said.
  std::string train_to(const config::Job& job, int64_t steps, bool resume = false) const {
    std::string said;
    Host host;
    host.clock = host.wall = [] {
      return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    };
    host.thread_clock = host.clock;
    host.resident_bytes = [calls = std::make_shared<int64_t>(0)] { return (++*calls) << 20; };
    host.say = [&](std::string_view text) { said += text; };
    host.cores = 2;
    host.target = [] {
      target::Target target;
      target.cores = 2;
      return target;
    };
    train(job, {steps, resume ? std::optional(run()) : std::nullopt, {}}, host);
    return said;
  }

  fs::path run() const { return folder_ / "run"; }
  std::string page() const { return read_file(run() / "report.html"); }
  void write(const std::string& name, const std::string& text) const { replace_file(run() / name, text); }

 private:
  testing::TemporaryFolder folder_;
};

int64_t instructions(const program::Program& program) {
  int64_t count = 0;
  for (int64_t rank = 0; rank < program.layout.world(); ++rank)
    count += program.instructions(program.list_of(base::Rank(rank)));
  return count;
}

TEST_F(RunFiles, FourRanksLeaveBothTimelinesAndMemoryThreeTimes) {
  const config::Job job = experts();
  const std::string said = train_to(job, 10);
  const ReportInput input = read_run(run());
  EXPECT_EQ(input.title, "run");
  EXPECT_EQ(input.metrics.size(), 10u);

  const program::Program program = compile::compile(train_request(job, 2));
  EXPECT_EQ(static_cast<int64_t>(input.measured_timeline.size()), instructions(program));
  EXPECT_EQ(input.predicted_timeline.size(), input.measured_timeline.size());
  std::map<int32_t, int64_t> end;  // by rank
  for (const TimelineSpan& span : input.measured_timeline)
    end[span.rank] = std::max(end[span.rank], span.start_ns + span.duration_ns);
  EXPECT_EQ(end.size(), 4u);
  ASSERT_TRUE(input.predicted_step_seconds && input.calibrated_step_seconds && input.measured_step_seconds);
  EXPECT_GT(*input.calibrated_step_seconds, 0);
  EXPECT_EQ(input.measured_note, "median of steps 4 to 10");
  EXPECT_EQ(input.prediction_aim, 0.3);
  EXPECT_EQ(input.prediction_note, "4 ranks of 1 thread share 2 cores");

  ASSERT_EQ(input.memory.size(), 5u);
  int64_t predicted = 0, touched = 0;
  for (int32_t rank = 0; rank < 4; ++rank) {
    const MemoryRow& row = input.memory[static_cast<size_t>(rank)];
    EXPECT_EQ(row.rank, rank);
    EXPECT_EQ(row.predicted_peak, program.arena_bytes(program.list_of(base::Rank(rank))));
    EXPECT_LE(*row.highest_touched, *row.predicted_peak);
    EXPECT_GT(*row.highest_touched, *row.predicted_peak / 2);
    predicted += *row.predicted_peak, touched += *row.highest_touched;
  }
  EXPECT_EQ(input.memory[4].rank, std::nullopt);
  EXPECT_EQ(input.memory[4].predicted_peak, predicted);
  EXPECT_EQ(input.memory[4].highest_touched, touched);
  EXPECT_EQ(input.memory[4].resident_growth, int64_t{4} << 20)
      << "asked once before, by three steps, once after";

  for (const char* text :
       {"memory: ", "on all 4; the process grew by 4.0 MiB\n", "step: ", " after calibration ("})
    EXPECT_NE(said.find(text), std::string::npos) << text << "\n" << said;
  for (const char* text : {"the aim of 30 % (4 ranks of 1 thread share 2 cores)", "all, one process",
                           "predicted after calibration", "median of steps 4 to 10"})
    EXPECT_NE(page().find(text), std::string::npos) << text;
}

TEST_F(RunFiles, OneRankHasACoreForEveryThread) {
  const std::string said = train_to(job(TinyModel::dense, {}), 6);
  const ReportInput input = read_run(run());
  EXPECT_EQ(input.prediction_aim, 0.2);
  EXPECT_EQ(input.prediction_note, "1 rank of 2 threads has 2 cores");
  ASSERT_EQ(input.memory.size(), 2u);
  EXPECT_EQ(input.memory[0].predicted_peak, input.memory[1].predicted_peak);
  EXPECT_FALSE(input.measured_timeline.empty());
  EXPECT_EQ(said.find("on the rank that needs most"), std::string::npos) << said;
  EXPECT_EQ(page().find("Router balance"), std::string::npos);
}

TEST_F(RunFiles, RunsOfAnyLengthHaveATimeline) {
  for (const int64_t steps : {1, 3, 4}) {
    fs::remove_all(run());
    train_to(experts(), steps);
    const ReportInput input = read_run(run());
    EXPECT_EQ(input.measured_timeline.size(), input.predicted_timeline.size()) << steps << " steps";
    EXPECT_TRUE(input.measured_step_seconds) << steps << " steps";
    EXPECT_EQ(input.memory.size(), 5u) << steps << " steps";
  }
}

TEST_F(RunFiles, AResumedRunReportsAllItsStepsAndMeasuresItsOwn) {
  train_to(experts(), 4);
  train_to(experts(), 10, true);
  const ReportInput input = read_run(run());
  ASSERT_EQ(input.metrics.size(), 10u);
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(input.metrics[i].step, static_cast<int64_t>(i) + 1);
  EXPECT_EQ(input.measured_note, "median of steps 8 to 10") << "of those since the resumption, without three";
  EXPECT_NE(page().find("at step 10"), std::string::npos) << "the curve's last point";
  EXPECT_NE(page().find(" at step 1,"), std::string::npos) << "and its first";

  const std::string profile = read_file(run() / kProfileFile);
  train_to(experts(), 10, true);  // nothing is left to do
  EXPECT_EQ(read_file(run() / kProfileFile), profile);
  EXPECT_EQ(read_run(run()).metrics.size(), 10u);
}

TEST_F(RunFiles, ResultsAboutTheFinalModelArePartOfTheReport) {
  train_to(experts(), 10);
  write("held_out.json", evaluation_text({3.25, 90, 100, 4.75}));
  write("bits_per_byte.tsv", "this model\t4.75\n# twelve <files>.\ngzip -9\t5.5\n# Half a line.\n");
  write("prompt.txt", "Once \n");
  write("sample.txt", "Once upon a\ntime\n");
  write_run_report(run());
  const ReportInput input = read_run(run());
  ASSERT_EQ(input.held_out.size(), 1u);
  EXPECT_EQ(input.held_out[0].step, 10);
  EXPECT_EQ(input.held_out[0].loss, 3.25);
  ASSERT_EQ(input.bits_per_byte.size(), 2u);
  EXPECT_TRUE(input.bits_per_byte[0].ours);
  EXPECT_FALSE(input.bits_per_byte[1].ours);
  EXPECT_EQ(input.bits_per_byte[1].bits, 5.5);
  ASSERT_EQ(input.samples.size(), 1u);
  EXPECT_EQ(input.samples[0].prompt, "Once ");
  EXPECT_EQ(input.samples[0].text, "upon a\ntime");
  for (const char* text : {"held-out 3.25", "twelve &lt;files&gt;. Half a line.", "gzip -9 needs 5.5",
                           "<span>Once </span>upon a\ntime</pre>"})
    EXPECT_NE(page().find(text), std::string::npos) << text;
}

TEST_F(RunFiles, ResultsAboutAnEarlierModelAreNot) {
  train_to(experts(), 10);
  write("held_out.json", evaluation_text({3.25, 90, 100, 4.75}));
  write("sample.txt", "Once\n");
  for (const char* name : {"held_out.json", "sample.txt"})
    fs::last_write_time(run() / name,
                        fs::last_write_time(run() / "final" / "config.json") - std::chrono::hours(1));
  const ReportInput input = read_run(run());
  EXPECT_TRUE(input.held_out.empty());
  EXPECT_TRUE(input.samples.empty());
}

TEST_F(RunFiles, DamagedFilesAreNamed) {
  train_to(experts(), 10);
  const auto expect_refused = [&](const std::string& name, const std::string& text, const std::string& says) {
    const std::string before = fs::exists(run() / name) ? read_file(run() / name) : "";
    write(name, text);
    try {
      read_run(run());
      ADD_FAILURE() << name << " accepted: " << text;
    } catch (const base::DataError& error) {
      EXPECT_NE(std::string(error.what()).find(name + says), std::string::npos) << error.what();
    }
    before.empty() ? static_cast<void>(fs::remove(run() / name)) : write(name, before);
  };
  expect_refused("bits_per_byte.tsv", "this model\t1.9\ngzip -9 2.5\n", ":2: 'gzip -9 2.5' is not");
  expect_refused("bits_per_byte.tsv", "this model\tnan\n", ":1: ");
  expect_refused("bits_per_byte.tsv", "this model\t1.9x\n", ":1: ");
  expect_refused("held_out.json", "{\"format\":1}", ": damaged");
  expect_refused("held_out.json", "", ": damaged");
  expect_refused("profile.json", "{", ": damaged");
  EXPECT_NO_THROW(read_run(run()));
  EXPECT_THROW(read_run(run() / "final"), base::DataError) << "no run directory";
}

TEST_F(RunFiles, AReportNeedsOnlyTheSteps) {
  train_to(experts(), 4);
  for (const char* name : {"profile.json", "report.html"}) fs::remove(run() / name);
  fs::remove_all(run() / "final");
  write_run_report(run());
  EXPECT_NE(page().find("<b>Loss</b>"), std::string::npos);
  EXPECT_EQ(page().find("Memory of each rank"), std::string::npos);
}

}  // namespace
}  // namespace pleat::train
