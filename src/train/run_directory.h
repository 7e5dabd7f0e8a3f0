// SPDX-License-Identifier: Apache-2.0
// What a run directory must be for a run to begin or to go on in it.
#pragma once
#include <filesystem>
#include <string>

#include "config/job.h"

namespace pleat::train {

/// JobError when it holds a run.
void check_unused(const std::filesystem::path& directory);

/// JobError when it is not there: it would begin a run of its own under a mistyped name.
void check_resumed(const std::filesystem::path& directory);

/// JobError with both values when the steps so far were made of something else. The layout, the precision and
/// the optimizer may change under a run; another model, other data or batches would make its step count and
/// its tokens untrue.
void check_continues(config::Job now, config::Job saved, const std::string& checkpoint);

/// DataError when it cannot be made.
void make_directory(const std::filesystem::path& directory);

}  // namespace pleat::train
