// SPDX-License-Identifier: Apache-2.0
// What a user can get wrong, or a machine do to a run: each ends in words that name it, and loses nothing.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <mutex>

#include "base/errors.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/store.h"
#include "run_tools.h"

namespace pleat {
namespace {

using testing::contents;
using testing::error_of;
using testing::put;
using testing::TinyModel;
using testing::TinyRuns;
using testing::train_quietly;
using testing::until;
namespace fs = std::filesystem;

::testing::AssertionResult says(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    if (text.find(part) == std::string::npos)
      return ::testing::AssertionFailure() << "no '" << part << "' in: " << text;
  return ::testing::AssertionSuccess();
}

// ---- the job
// -----------------------------------------------------------------------------------------------------

std::string job_error(const std::vector<std::string>& overrides, TinyModel model = TinyModel::experts) {
  const TinyRuns runs;
  return error_of<base::JobError>([&] { train_quietly(runs.job("run", overrides, model)); });
}

TEST(BadJob, AxesThatDoNotDivide) {
  EXPECT_TRUE(says(job_error({"layout.dp=3"}), {"global_batch", "3", "choose"}));
  EXPECT_TRUE(says(job_error({"layout.dp=3", "layout.ep=3", "train.global_batch=6"}), {"ep", "3", "4"}));
  EXPECT_TRUE(says(job_error({"layout.dp=2", "layout.ep=4"}), {"ep", "4", "choose"}));
  EXPECT_TRUE(says(job_error({"layout.pp=5"}), {"pp", "5", "4"}));
  EXPECT_TRUE(says(job_error({"layout.dp=2", "layout.ep=2"}, TinyModel::dense), {"ep", "1"}));
}

TEST(BadJob, AxesWithoutOperations) {
  for (const char* axis : {"tp", "cp", "vpp", "etp"})
    EXPECT_TRUE(says(job_error({fmt::format("layout.{}=2", axis), "layout.dp=2"}),
                     {fmt::format("no operations yet for axis {} ", axis), "choose 1 (command line)"}));
}

TEST(BadJob, HeadsThatDoNotDivide) {
  EXPECT_TRUE(says(job_error({"model.num_key_value_heads=3"}), {"num_key_value_heads", "3", "choose"}));
  EXPECT_TRUE(says(job_error({"model.head_dim=5"}), {"head_dim", "5", "even"}));
}

// ---- data
// --------------------------------------------------------------------------------------------------------

template <class Damage>
std::string data_error(Damage damage, const std::vector<std::string>& overrides = {"layout.pp=1"}) {
  const TinyRuns runs;
  damage(runs.tokens());
  const std::string error = error_of<base::DataError>([&] { train_quietly(runs.job("run", overrides)); });
  EXPECT_FALSE(fs::exists(runs.run("run") / "metrics.jsonl"));
  return error;
}

TEST(BadData, ATokenOutsideTheVocabularyIsNamed) {
  const std::string error = data_error([](const fs::path&) {}, {"layout.pp=1", "model.vocab_size=40"});
  EXPECT_TRUE(says(error, {"tokens.bin: token ", "has id", "vocabulary has 40"}));
}

TEST(BadData, MissingEmptyAndTruncatedFiles) {
  const auto without = [](const char* ending) {
    return data_error([&](const fs::path& prefix) { fs::remove(prefix.string() + ending); });
  };
  EXPECT_TRUE(says(without(".bin"), {"tokens.bin"}));
  EXPECT_TRUE(says(without(".idx"), {"tokens.idx"}));
  const auto cut_to = [](const char* ending, double share) {
    return data_error([&](const fs::path& prefix) {
      const fs::path path = prefix.string() + ending;
      fs::resize_file(path, static_cast<uintmax_t>(share * static_cast<double>(fs::file_size(path))));
    });
  };
  for (double share : {0.0, 0.5}) {
    EXPECT_TRUE(says(cut_to(".bin", share), {"tokens"}));
    EXPECT_TRUE(says(cut_to(".idx", share), {"tokens.idx"}));
  }
}

TEST(BadData, FewerTokensThanASample) {
  const std::string error = data_error([](const fs::path& prefix) {
    data::TokenWriter writer(prefix, testing::kVocabulary);
    const std::vector<int32_t> few(testing::kSequence, 1);
    writer.add_document(few);
    writer.commit();
  });
  EXPECT_TRUE(says(error, {"tokens", "12"}));
}

TEST(BadData, NoTokenFileNamed) {
  const TinyRuns runs;
  config::Job job = runs.job("run");
  job.data.train.clear();
  EXPECT_TRUE(says(error_of<base::JobError>([&] { train_quietly(job); }), {"data.train is empty"}));
}

// ---- checkpoints
// -------------------------------------------------------------------------------------------------

TEST(BadCheckpoint, ATruncatedOneGivesWayToTheOneBefore) {
  const TinyRuns runs;
  train_quietly(runs.job("whole"));
  const config::Job job = runs.job("run");
  train_quietly(job, until(4));
  const fs::path shard = checkpoint::checkpoint_path(runs.run("run"), 4) / "shard-2-of-4.safetensors";
  fs::resize_file(shard, fs::file_size(shard) / 2);
  const std::string said = testing::resume_quietly(job);
  EXPECT_TRUE(says(said, {shard.string(), "skipped", "resuming after step 2"}));
  EXPECT_TRUE(testing::same_runs(runs.run("run"), runs.run("whole")));
}

TEST(BadCheckpoint, AFullDiskLeavesTheOldOne) {
  const TinyRuns runs;
  train_quietly(runs.job("whole"));
  const config::Job job = runs.job("run");
  train::TrainOptions options;
  std::mutex mutex;
  int writes = 0;
  options.fault = [&](std::string_view point) {
    const std::lock_guard lock(mutex);
    // Some shards of the first save are written by four ranks in any order; the second save is past all of
    // those.
    if (point.starts_with("create step-")) ++writes;
    if (writes == 2 && point.starts_with("write shard-1"))
      base::fail<base::DataError>("{}: cannot write: No space left on device", point);
  };
  const std::string error = error_of<base::DataError>([&] { train_quietly(job, options); });
  EXPECT_TRUE(says(error, {"shard-1-of-4.safetensors", "No space left on device"}));
  const auto folders = checkpoint::step_folders(runs.run("run"));
  ASSERT_EQ(folders.size(), 1u);
  EXPECT_EQ(folders[0].step, 2);
  EXPECT_EQ(checkpoint::verify(folders[0].path).step, 2);
  EXPECT_TRUE(says(testing::resume_quietly(job), {"resuming after step 2"}));
  EXPECT_TRUE(testing::same_runs(runs.run("run"), runs.run("whole")));
}

// ---- numbers that are none
// ---------------------------------------------------------------------------------------

/// Makes the first element of a row of a tensor NaN, in place.
void spoil(const fs::path& model, const std::string& tensor, int64_t row) {
  const fs::path path = model / "model.safetensors";
  const checkpoint::SafetensorsFile file(path);
  const checkpoint::TensorInfo& info = file.tensor(tensor);
  std::string bytes = contents(path);
  int64_t data_bytes = 0;
  for (const checkpoint::TensorInfo& t : file.tensors()) data_bytes = std::max(data_bytes, t.end);
  const size_t data = bytes.size() - static_cast<size_t>(data_bytes);
  const float nan = std::nanf("");
  const size_t at = data + static_cast<size_t>(info.begin + row * info.shape.row_elements() * 4);
  std::memcpy(bytes.data() + at, &nan, sizeof nan);
  put(path, bytes);
}

class NotFinite : public ::testing::Test {
 protected:
  /// A model folder, one step old.
  fs::path model(const std::string& tensor, int64_t row) {
    train_quietly(runs.job("first", {"layout.pp=1", "train.steps=1", "optimizer.warmup_steps=1"}));
    spoil(runs.run("first") / "final", tensor, row);
    return runs.run("first") / "final";
  }
  config::Job job(const fs::path& model, const std::string& guard, const std::string& name = "run") const {
    return runs.job(name, {"layout.pp=2", "layout.dp=2", "layout.ep=2", "guard=" + guard,
                           "model.directory=" + model.string()});
  }
  TinyRuns runs;
};

TEST_F(NotFinite, StopNamesStepAndTensorAndSavesNothing) {
  const fs::path from = model("model.layers.2.self_attn.o_proj.weight", 3);
  const std::string error = error_of<base::CheckError>([&] { train_quietly(job(from, "stop")); });
  EXPECT_TRUE(
      says(error, {"step 1 is not finite", "the loss", "the gradient of ", "discarded", "guard: skip"}));
  EXPECT_TRUE(checkpoint::step_folders(runs.run("run")).empty());
}

TEST_F(NotFinite, SkipLeavesEveryWeightAsItWas) {
  const fs::path from = model("model.norm.weight", 0);
  const auto before = testing::final_weights(from.parent_path());
  const std::string said = train_quietly(job(from, "skip"));
  EXPECT_TRUE(says(said, {"step 1 is not finite", "step 10 is not finite"}));
  const auto after = testing::final_weights(runs.run("run"));
  for (const auto& [name, values] : before)
    EXPECT_EQ(std::memcmp(after.at(name).data(), values.data(), values.size() * sizeof(float)), 0) << name;
  const auto steps = train::read_metrics(runs.run("run") / "metrics.jsonl");
  ASSERT_EQ(steps.size(), 10u);
  for (const train::StepMetrics& step : steps) EXPECT_TRUE(std::isnan(step.loss)) << step.step;
}

/// Only the steps that meet the spoiled token are discarded.
TEST_F(NotFinite, SkipGoesOn) {
  const fs::path from = model("model.embed_tokens.weight", 17);
  train_quietly(job(from, "skip"));
  const auto steps = train::read_metrics(runs.run("run") / "metrics.jsonl");
  ASSERT_EQ(steps.size(), 10u);
  const auto discarded =
      std::count_if(steps.begin(), steps.end(), [](const auto& s) { return std::isnan(s.loss); });
  EXPECT_GT(discarded, 0);
  EXPECT_LT(discarded, 10);
  for (const auto& [name, values] : testing::final_weights(runs.run("run")))
    for (size_t i = 0; i < values.size(); ++i) {
      const bool spoiled = name == "model.embed_tokens.weight" && i == 17 * 24;
      ASSERT_NE(std::isfinite(values[i]), spoiled) << name << " " << i;
    }
}

/// Weights so large that the loss is still a number and its gradient is none.
TEST_F(NotFinite, AGradientThatOverflowsIsNamed) {
  const std::string error = error_of<base::CheckError>([&] {
    train_quietly(
        runs.job("run", {"layout.pp=1", "optimizer.learning_rate=1e30", "optimizer.warmup_steps=0"}));
  });
  EXPECT_TRUE(says(error, {"is not finite", "the gradient of "}));
}

}  // namespace
}  // namespace pleat
