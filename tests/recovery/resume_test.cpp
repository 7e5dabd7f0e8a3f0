// SPDX-License-Identifier: Apache-2.0
// A run that stopped goes on as if it had not, on the same layout and on others.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <fstream>

#include "base/errors.h"
#include "checkpoint/store.h"
#include "run_tools.h"
#include "train/evaluate.h"
#include "train/report_text.h"
#include "train/run_directory.h"
#include "train/run_report.h"

namespace pleat {
namespace {

using testing::contents;
using testing::error_of;
using testing::put;
using testing::resume_quietly;
using testing::same_runs;
using testing::TinyRuns;
using testing::train_quietly;
using testing::until;
namespace fs = std::filesystem;

TEST(Resume, GoesOnAsIfNeverStopped) {
  const TinyRuns runs;
  train_quietly(runs.job("whole"));
  const config::Job job = runs.job("stopped");
  train_quietly(job, until(3));  // between checkpoints: a stop saves
  EXPECT_EQ(train::read_metrics(runs.run("stopped") / "metrics.jsonl").size(), 3u);
  EXPECT_FALSE(fs::exists(runs.run("stopped") / "final"));
  EXPECT_NE(resume_quietly(job, until(7)).find("resuming after step 3"), std::string::npos);
  resume_quietly(job);
  EXPECT_TRUE(same_runs(runs.run("stopped"), runs.run("whole")));
}

TEST(Resume, SaysWhereItBeginsAndEnds) {
  const TinyRuns runs;
  const config::Job job = runs.job("run");
  const train::TrainResult first = train::train(job, until(4), testing::quiet_host());
  EXPECT_EQ(first.first_step, 0);
  EXPECT_EQ(first.steps, 4);
  EXPECT_FALSE(first.finished);
  train::TrainOptions options;
  options.resume = job.run.directory;
  const train::TrainResult second = train::train(job, options, testing::quiet_host());
  EXPECT_EQ(second.first_step, 4);
  EXPECT_EQ(second.steps, 10);
  EXPECT_TRUE(second.finished);
  EXPECT_EQ(second.loss, train::read_metrics(runs.run("run") / "metrics.jsonl").back().loss);
}

/// Two runs of different layouts from one checkpoint: as far apart as fp32 is from fp64, and no further.
void expect_close(const fs::path& got, const fs::path& want, const fs::path& exact) {
  const auto a = train::read_metrics(got / "metrics.jsonl"), b = train::read_metrics(want / "metrics.jsonl"),
             e = train::read_metrics(exact / "metrics.jsonl");
  ASSERT_EQ(a.size(), b.size());
  double loss_distance = 0;
  for (size_t i = 0; i < b.size(); ++i)
    loss_distance = std::max(loss_distance, std::abs(b[i].loss - e[i].loss));
  for (size_t i = 0; i < b.size(); ++i)
    EXPECT_NEAR(a[i].loss, b[i].loss, 4 * loss_distance) << "step " << i + 1;
  const auto x = testing::final_weights(got), y = testing::final_weights(want),
             z = testing::final_weights(exact);
  for (const auto& [name, values] : y) {
    double distance = 0, found = 0, largest = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      distance = std::max(distance, std::abs(static_cast<double>(values[i]) - z.at(name)[i]));
      found = std::max(found, std::abs(static_cast<double>(values[i]) - x.at(name)[i]));
      largest = std::max(largest, std::abs(static_cast<double>(values[i])));
    }
    EXPECT_LE(found, std::max(4 * distance, std::ldexp(largest, -23))) << name;
  }
}

TEST(Resume, FourRanksContinueOnOneTwoAndFour) {
  const TinyRuns runs;
  train_quietly(runs.job("saved"), until(4));
  const auto continued = [&](const std::string& name, std::vector<std::string> layout) {
    fs::copy(runs.run("saved"), runs.run(name), fs::copy_options::recursive);
    resume_quietly(runs.job(name, std::move(layout)));
    return runs.run(name);
  };
  const fs::path same = continued("same", {});
  const fs::path one = continued("one", {"layout.pp=1"});
  const fs::path stages = continued("stages", {"layout.pp=2"});
  const fs::path experts = continued("experts", {"layout.dp=2", "layout.ep=2"});
  const fs::path wide = continued("wide", {"layout.dp=4", "layout.ep=4"});
  train_quietly(runs.job("whole"));
  EXPECT_TRUE(same_runs(same, runs.run("whole")));
  EXPECT_TRUE(same_runs(experts, same)) << "stages do not change the order of a sum";
  EXPECT_TRUE(same_runs(stages, one)) << "stages do not change the order of a sum";
  train_quietly(runs.job("exact", {"precision=fp64", "layout.pp=1"}));
  expect_close(one, same, runs.run("exact"));
  expect_close(wide, same, runs.run("exact"));
}

TEST(Resume, RefusesAUsedDirectory) {
  const TinyRuns runs;
  const config::Job job = runs.job("run", {"layout.pp=1"});
  train_quietly(job, until(1));
  const std::string before = contents(runs.run("run") / "metrics.jsonl");
  const std::string error = error_of<base::JobError>([&] { train_quietly(job, until(1)); });
  EXPECT_NE(error.find("already holds a run"), std::string::npos) << error;
  EXPECT_NE(error.find("--resume"), std::string::npos) << error;
  EXPECT_EQ(contents(runs.run("run") / "metrics.jsonl"), before);
}

TEST(Resume, WithoutACheckpointStartsAtZeroAndSaysSo) {
  const TinyRuns runs;
  const config::Job job = runs.job("run", {"layout.pp=1"});
  train_quietly(runs.job("whole", {"layout.pp=1"}));
  fs::create_directories(runs.run("run"));
  put(runs.run("run") / "metrics.jsonl", train::to_json_line({.step = 1, .loss = 3.0}) + "\n");
  const std::string said = resume_quietly(job);
  EXPECT_NE(said.find("holds no complete checkpoint: starting at step 0"), std::string::npos) << said;
  EXPECT_TRUE(same_runs(runs.run("run"), runs.run("whole")));
}

TEST(Resume, CutsMetricsBackToTheCheckpoint) {
  const TinyRuns runs;
  const config::Job job = runs.job("run", {"layout.pp=1"});
  train_quietly(runs.job("whole", {"layout.pp=1"}));
  train_quietly(job, until(4));
  {
    std::ofstream file(runs.run("run") / "metrics.jsonl", std::ios::app);
    file << train::to_json_line({.step = 5, .loss = 3.0}) << "\n" << R"({"format": 1, "step": 6, "lo)";
  }
  resume_quietly(job, until(5));
  const auto steps = train::read_metrics(runs.run("run") / "metrics.jsonl");
  ASSERT_EQ(steps.size(), 5u);
  EXPECT_NE(steps[4].loss, 3.0);
  resume_quietly(job);
  EXPECT_TRUE(same_runs(runs.run("run"), runs.run("whole")));
}

TEST(Resume, AFinishedRunStaysAsItIs) {
  const TinyRuns runs;
  const config::Job job = runs.job("run", {"layout.pp=1"});
  train_quietly(job);
  fs::copy(runs.run("run"), runs.run("copy"), fs::copy_options::recursive);
  resume_quietly(job);
  EXPECT_TRUE(same_runs(runs.run("run"), runs.run("copy")));
}

TEST(Resume, OfAFinishedRunKeepsWhatWasFoundOutAboutItsModel) {
  const TinyRuns runs;
  const config::Job job = runs.job("run", {"layout.pp=1", "data.held_out=" + runs.tokens().string()});
  train_quietly(job);
  put(runs.run("run") / "bits_per_byte.tsv", "this model\t1.9\n");
  const auto written = fs::last_write_time(runs.run("run") / "final" / "config.json");
  const std::string said = resume_quietly(job);
  EXPECT_EQ(said.find("held-out text:"), std::string::npos) << said;
  EXPECT_EQ(fs::last_write_time(runs.run("run") / "final" / "config.json"), written);
  const std::string report = contents(runs.run("run") / "report.html");
  EXPECT_NE(report.find("Bits per byte of held-back text"), std::string::npos);
}

TEST(Resume, OfAFinishedRunMakesUpForAModelThatIsMissingOrOlder) {
  const TinyRuns runs;
  const config::Job job = runs.job("run", {"layout.pp=1", "data.held_out=" + runs.tokens().string()});
  const fs::path model = runs.run("run") / "final";
  train_quietly(job);
  const std::string weights = contents(model / "model.safetensors");
  const auto expect_made = [&] {
    const std::string said = resume_quietly(job);
    EXPECT_NE(said.find("held-out text:"), std::string::npos) << said;
    EXPECT_EQ(contents(model / "model.safetensors"), weights);
  };
  fs::remove_all(model);
  expect_made();
  put(model / "model.safetensors", "of a step before");
  fs::last_write_time(model / "config.json",
                      fs::last_write_time(model / "config.json") - std::chrono::hours(1));
  expect_made();
}

std::string identity(const fs::path& tokens) {
  return train::identity_of(data::TokenFile(tokens));
}

TEST(Resume, IntoOtherDataOrBatchesIsRefusedWithBothValues) {
  const TinyRuns runs;
  train_quietly(runs.job("run", {"layout.pp=1"}), until(2));
  const std::string before = contents(runs.run("run") / "job.yaml");
  testing::write_tokens(runs.run("others"), 20, 4);
  const std::string others = runs.run("others").string();
  const std::vector<std::pair<std::string, std::string>> changes{
      {"train.seed=8", "train.seed is 8, was 7"},
      {"train.global_batch=16", "train.global_batch is 16, was 8"},
      {"train.sequence=6", "train.sequence is 6, was 12"},
      {"data.separate_documents=true", "data.separate_documents is true, was false"},
      {"data.train=" + others,
       fmt::format("data.train is {}, was {}", identity(others), identity(runs.tokens()))}};
  for (const auto& [change, says] : changes) {
    config::Job job = runs.job("run", {"layout.pp=1", change});
    if (change.starts_with("data.train")) job.data.train = others;
    const std::string error = error_of<base::JobError>([&] { resume_quietly(job); });
    EXPECT_NE(error.find(says), std::string::npos) << error;
    EXPECT_NE(error.find("step-00000002"), std::string::npos) << error;
  }
  EXPECT_EQ(contents(runs.run("run") / "job.yaml"), before);
  EXPECT_EQ(train::read_metrics(runs.run("run") / "metrics.jsonl").size(), 2u);
}

TEST(Resume, FindsItsDataWhereverItLies) {
  const TinyRuns runs;
  train_quietly(runs.job("run", {"layout.pp=1"}), until(2));
  for (const char* ending : {".bin", ".idx"})
    fs::rename(runs.tokens().string() + ending, runs.run("moved").string() + ending);
  config::Job job = runs.job("run", {"layout.pp=1"});
  job.data.train = runs.run("moved").string();
  const std::string said = resume_quietly(job, until(4));
  EXPECT_NE(said.find("resuming after step 2"), std::string::npos) << said;
}

TEST(Resume, UnderAnotherLayoutPrecisionAndMicroBatchGoesOn) {
  const TinyRuns runs;
  train_quietly(runs.job("run", {"layout.pp=1"}), until(2));
  const std::string said =
      resume_quietly(runs.job("run", {"layout.dp=2", "precision=bf16", "train.micro_batch=2"}), until(4));
  EXPECT_NE(said.find("resuming after step 2"), std::string::npos) << said;
}

TEST(Resume, TheDirectoryResumedIsTheOneThatIsWrittenDown) {
  const TinyRuns runs;
  train_quietly(runs.job("run", {"layout.pp=1"}), until(2));
  train::TrainOptions options = until(4);
  options.resume = runs.run("run");
  train_quietly(runs.job("elsewhere", {"layout.pp=1"}), options);
  EXPECT_FALSE(fs::exists(runs.run("elsewhere")));
  const auto directory = [](const std::string& job) {
    return config::parse_job(job, "stored").run.directory;
  };
  EXPECT_EQ(directory(contents(runs.run("run") / "job.yaml")), runs.run("run").string());
  const checkpoint::Found found = checkpoint::newest_complete(runs.run("run"));
  ASSERT_TRUE(found.checkpoint);
  const checkpoint::Manifest manifest = checkpoint::verify(*found.checkpoint);
  EXPECT_EQ(manifest.step, 4);
  EXPECT_EQ(directory(manifest.job), runs.run("run").string());
}

TEST(Resume, OfNoDirectoryIsRefusedAndMakesNone) {
  const TinyRuns runs;
  const config::Job job = runs.job("run", {"layout.pp=1"});
  const auto error = [&](const fs::path& directory) {
    train::TrainOptions options;
    options.resume = directory;
    return error_of<base::JobError>([&] { train_quietly(job, options); });
  };
  EXPECT_NE(error(runs.run("absent")).find("absent: there is no run directory"), std::string::npos);
  EXPECT_NE(error(runs.tokens().string() + ".bin").find("tokens.bin: there is no run"), std::string::npos);
  EXPECT_NE(error("").find("no run directory is named"), std::string::npos);
  EXPECT_FALSE(fs::exists(runs.run("absent")));
  EXPECT_FALSE(fs::exists(runs.run("run")));
}

TEST(Resume, WithNoStepLeftSaysSoAndKeepsTheReport) {
  const TinyRuns runs;
  const config::Job job = runs.job("run", {"layout.pp=1"});
  train_quietly(job, until(5));
  const std::string report = contents(runs.run("run") / "report.html");
  const std::string said = resume_quietly(job, until(3));
  EXPECT_NE(said.find("no step is left to do: this run was to end at step 3"), std::string::npos) << said;
  EXPECT_EQ(contents(runs.run("run") / "report.html"), report) << "its figures of memory too";
}

TEST(Start, ThatFailsDoesNotUseUpTheDirectory) {
  const TinyRuns runs;
  train_quietly(runs.job("first", {"layout.pp=1", "train.steps=1", "optimizer.warmup_steps=1"}));
  const fs::path model = runs.run("first") / "final";
  const config::Job job = runs.job("run", {"layout.pp=1", "model.directory=" + model.string()});
  const std::string weights = contents(model / "model.safetensors");
  put(model / "model.safetensors", weights.substr(0, weights.size() / 2));
  error_of<base::DataError>([&] { train_quietly(job); });
  put(model / "model.safetensors", weights);
  train_quietly(job);
  EXPECT_TRUE(fs::exists(runs.run("run") / "final"));
}

TEST(Start, InAPlaceThatCannotBeADirectoryIsRefused) {
  const TinyRuns runs;
  const fs::path inside = fs::path(runs.tokens().string() + ".bin") / "run";
  config::Job job = runs.job("run", {"layout.pp=1"});
  job.run.directory = inside.string();
  const std::string error = error_of<base::DataError>([&] { train_quietly(job); });
  EXPECT_NE(error.find(inside.string() + ": cannot be made a directory: "), std::string::npos) << error;
}

TEST(HeldOut, IsEvaluatedAtTheEndOfTheRunOnly) {
  const TinyRuns runs;
  const config::Job job = runs.job("run", {"data.held_out=" + runs.tokens().string()});
  train_quietly(job, until(4));
  EXPECT_FALSE(fs::exists(runs.run("run") / "held_out.json"));
  const std::string said = resume_quietly(job);
  const train::Evaluation alone =
      train::evaluate({runs.run("run") / "final", runs.tokens(), testing::kSequence, config::Precision::fp32},
                      testing::quiet_host());
  EXPECT_EQ(contents(runs.run("run") / "held_out.json"), train::evaluation_text(alone));
  EXPECT_NE(said.find("held-out text: " + train::to_text(alone)), std::string::npos) << said;
  EXPECT_NE(contents(runs.run("run") / "report.html").find("held-out " + train::readable(alone.loss)),
            std::string::npos);
}

TEST(HeldOut, ThatIsMissingIsRefusedBeforeTheFirstStep) {
  const TinyRuns runs;
  const config::Job job = runs.job("run", {"data.held_out=" + runs.run("nowhere").string()});
  const std::string error = error_of<base::DataError>([&] { train_quietly(job); });
  EXPECT_NE(error.find("nowhere"), std::string::npos) << error;
  EXPECT_FALSE(fs::exists(runs.run("run") / "metrics.jsonl"));
}

TEST(Resume, RefusesAnotherModel) {
  const TinyRuns runs;
  train_quietly(runs.job("run", {"layout.pp=1"}), until(2));
  const std::string error = error_of<base::JobError>(
      [&] { resume_quietly(runs.job("run", {"layout.pp=1", "model.rms_norm_eps=1e-5"})); });
  EXPECT_NE(error.find("model of the job"), std::string::npos) << error;
}

}  // namespace
}  // namespace pleat
