// SPDX-License-Identifier: Apache-2.0
// What a run knows of itself at its end, put into report.html.
#pragma once
#include <filesystem>
#include <vector>

#include "config/job.h"
#include "program/program.h"
#include "train/host.h"

namespace pleat::train {

/// Peak memory said three times, in bytes.
struct MemoryFigures {
  int64_t resident_before = 0;              // of the process, before bind
  int64_t resident_after = 0;               // after step 3
  std::vector<int64_t> predicted, touched;  // by rank: the arena; one past its highest touched byte
};

void write_run_report(const std::filesystem::path& directory, const config::Job& job,
                      const program::Program& program, const MemoryFigures& memory, const Host& host);

}  // namespace pleat::train
