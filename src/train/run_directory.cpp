// SPDX-License-Identifier: Apache-2.0
#include "train/run_directory.h"

#include <algorithm>
#include <vector>

#include "base/errors.h"
#include "checkpoint/checksum.h"
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

std::string identity_of(const data::TokenFile& file) {
  constexpr int64_t kPlaces = 256, kTokens = 64;
  checkpoint::Checksum sum;
  std::vector<int32_t> tokens(static_cast<size_t>(std::min(kTokens, file.tokens())));
  const int64_t last = file.tokens() - static_cast<int64_t>(tokens.size());
  for (int64_t place = 0; place < kPlaces; ++place) {
    file.read(last / (kPlaces - 1) * place + last % (kPlaces - 1) * place / (kPlaces - 1), tokens);
    sum.add(std::as_bytes(std::span(tokens)));
  }
  return fmt::format("{} tokens in {} documents, checksum {:016x}", file.tokens(), file.documents(),
                     sum.value());
}

void check_continues(Continued now, Continued saved, const std::string& checkpoint) {
  if (!(saved.job.model == now.job.model))
    fail<JobError>("the model of the job is not the one of {}", checkpoint);
  std::string differences;
  const auto compare = [&](std::string_view path, const std::string& is, const std::string& was) {
    if (was != is)
      differences += fmt::format("{}{} is {}, was {}", differences.empty() ? "" : "; ", path, is, was);
  };
  for (const char* path : {"train.global_batch", "train.sequence", "train.seed", "data.separate_documents"}) {
    const config::Field& field = config::find_key(path)->field;
    compare(path, config::written(field, now.job), config::written(field, saved.job));
  }
  compare("data.train", now.data, saved.data);
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
