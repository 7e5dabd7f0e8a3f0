// SPDX-License-Identifier: Apache-2.0
// Tiny runs on disk: a host that remembers what was said, a run in a process of its own, and when two runs
// are the same.
#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "../equivalence/tiny_job.h"
#include "train/metrics.h"
#include "train/train.h"

namespace pleat::testing {

/// The host of a quiet run; what it says is appended to `said` when there is one.
train::Host quiet_host(std::string* said = nullptr);

/// A folder with a token file, and jobs over it that train into folders beside it.
class TinyRuns {
 public:
  TinyRuns() { write_tokens(folder_ / "tokens"); }
  /// Trains experts on four ranks (pp2 dp2 ep2), a checkpoint every two steps, unless overrides say
  /// otherwise.
  config::Job job(const std::string& run, std::vector<std::string> overrides = {},
                  TinyModel model = TinyModel::experts) const;
  std::filesystem::path run(const std::string& name) const { return folder_ / name; }
  std::filesystem::path tokens() const { return folder_ / "tokens"; }

 private:
  TemporaryFolder folder_;
};

/// To stop after this step.
inline train::TrainOptions until(int64_t step) {
  train::TrainOptions options;
  options.stop_after = step;
  return options;
}
/// Trains; what was said comes back.
std::string train_quietly(const config::Job& job, const train::TrainOptions& options = {});
/// Goes on with the job's own directory.
std::string resume_quietly(const config::Job& job, train::TrainOptions options = {});

/// Everything but the times.
std::vector<train::StepMetrics> without_times(std::vector<train::StepMetrics> metrics);

/// The same steps with the same numbers, the same state in the newest checkpoint, the same model in final/,
/// to the bit.
::testing::AssertionResult same_runs(const std::filesystem::path& got, const std::filesystem::path& want);

/// Weights of final/ by Hugging Face name.
std::map<std::string, std::vector<float>> final_weights(const std::filesystem::path& run);

}  // namespace pleat::testing
