// SPDX-License-Identifier: Apache-2.0
#include "train/run_directory.h"

#include "base/errors.h"
#include "config/keys.h"
#include "config/scalars.h"

namespace pleat::train {

namespace fs = std::filesystem;
using base::fail;
using base::JobError;

void check_resumed(const fs::path& directory) {
  if (directory.empty()) fail<JobError>("no run directory is named to go on with");
  if (!fs::is_directory(directory))
    fail<JobError>("{}: there is no run directory of this name to go on with", directory.string());
}

void make_directory(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) fail<base::DataError>("{}: cannot be made a directory: {}", directory.string(), error.message());
}

void check_continues(config::Job now, config::Job saved, const std::string& checkpoint) {
  if (!(saved.model == now.model)) fail<JobError>("the model of the job is not the one of {}", checkpoint);
  saved.data.train = fs::absolute(saved.data.train).lexically_normal().string();
  now.data.train = fs::absolute(now.data.train).lexically_normal().string();
  std::string differences;
  for (const char* path :
       {"train.global_batch", "train.sequence", "train.seed", "data.train", "data.separate_documents"}) {
    const config::Field& field = config::find_key(path)->field;
    const std::string was = config::written(field, saved), is = config::written(field, now);
    if (was != is)
      differences += fmt::format("{}{} is {}, was {}", differences.empty() ? "" : "; ", path, is, was);
  }
  if (!differences.empty())
    fail<JobError>("{} is of another run: {}; write the same, or begin a run in a directory of its own",
                   checkpoint, differences);
}

void check_unused(const fs::path& directory) {
  for (const char* name : {"metrics.jsonl", "checkpoints", "final"})
    if (fs::exists(directory / name))
      fail<JobError>("{} already holds a run ({}): go on with --resume {}, or choose another run.directory",
                     directory.string(), name, directory.string());
}

}  // namespace pleat::train
