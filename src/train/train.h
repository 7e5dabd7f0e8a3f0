// SPDX-License-Identifier: Apache-2.0
// The loop: compile, verify, run, log, save, recover. All of a run lies in job.run.directory: job.yaml,
// metrics.jsonl, TensorBoard events, checkpoints/, final/, profile.json, report.html.
#pragma once
#include <filesystem>
#include <optional>

#include "base/file.h"
#include "config/job.h"
#include "train/host.h"

namespace pleat::train {

struct TrainOptions {
  int64_t stop_after = 0;  // stop after this step in total (0: at train.steps); learning rates do not change
  std::optional<std::filesystem::path> resume;  // a run directory: go on from its newest complete checkpoint
  base::FaultPoint fault;  // for tests: called before every write, sync and rename of a checkpoint
};

struct TrainResult {
  int64_t first_step = 0;  // steps done before this call
  int64_t steps = 0;       // steps done in all
  double loss = 0;         // of the last step
  bool finished = false;   // train.steps reached: final/ is written
};

/// JobError for a job that cannot run or a run directory in use; CheckError when a step is not finite under
/// guard: stop.
TrainResult train(const config::Job& job, const TrainOptions& options, const Host& host);

/// The job of a run directory, as it was stored.
config::Job stored_job(const std::filesystem::path& run_directory);

}  // namespace pleat::train
