// SPDX-License-Identifier: Apache-2.0
// What a run knows of itself and no other file says: profile.json, and a line to say of its memory and one of
// its step.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "config/job.h"
#include "program/program.h"
#include "train/host.h"
#include "train/recorder.h"

namespace pleat::train {

/// Peak memory said three times, in bytes. Ranks are threads of one process, so what is resident is known of
/// all of them together only.
struct MemoryFigures {
  int64_t resident_before = 0;              // of the process, before bind
  int64_t resident_after = 0;               // after the first steps
  std::vector<int64_t> predicted, touched;  // by rank: the arena; one past its highest touched byte
};

/// "memory: 5.0 MiB predicted, 4.9 MiB touched; the process grew by 6.1 MiB"
std::string memory_line(const MemoryFigures& memory);

/// Writes profile.json beside metrics.jsonl, whose steps after `first` are those of this run; returns what is
/// to be said of the step's prediction.
std::string write_run_profile(const std::filesystem::path& directory, const config::Job& job,
                              const program::Program& program, const MemoryFigures& memory,
                              const Recorder& recorder, int64_t first, const Host& host);

}  // namespace pleat::train
