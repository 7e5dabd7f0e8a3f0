// SPDX-License-Identifier: Apache-2.0
// The loop: compile, verify, run, log, save, recover. All of a run lies in job.run.directory: job.yaml,
// metrics.jsonl, TensorBoard events, checkpoints/, final/, profile.json, held_out.json, report.html.
#pragma once
#include <filesystem>
#include <optional>

#include "base/file.h"
#include "config/job.h"
#include "train/host.h"

namespace pleat::train {

struct TrainOptions {
  int64_t stop_after = 0;  // stop after this step in total (0: at train.steps); learning rates do not change
  /// A run directory: go on from its newest complete checkpoint, whatever run.directory says. JobError when
  /// it is not there, or was made of other data, batches or a seed.
  std::optional<std::filesystem::path> resume;
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

}  // namespace pleat::train
