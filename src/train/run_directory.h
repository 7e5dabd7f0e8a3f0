// SPDX-License-Identifier: Apache-2.0
// What a run directory must be for a run to begin or to go on in it.
#pragma once
#include <filesystem>
#include <string>

#include "config/job.h"
#include "data/tokens.h"

namespace pleat::train {

/// JobError when it holds a run.
void check_unused(const std::filesystem::path& directory);

/// JobError when it is not there: it would begin a run of its own under a mistyped name.
void check_resumed(const std::filesystem::path& directory);

/// What tells one token file from another wherever they lie: how much it holds, and a checksum of some of it.
std::string identity_of(const data::TokenFile& file);

/// A job, and the identity of its data.
struct Continued {
  config::Job job;
  std::string data;
};
/// JobError with both values when the steps so far were made of something else. The layout, the precision and
/// the optimizer may change under a run, and its data may have moved; another model, other data or batches
/// would make its step count and its tokens untrue.
void check_continues(Continued now, Continued saved, const std::string& checkpoint);

/// DataError when it cannot be made.
void make_directory(const std::filesystem::path& directory);

}  // namespace pleat::train
