// SPDX-License-Identifier: Apache-2.0
// Schedules: the order of compute of one stage. Transfers, events and frames follow from it in later passes.
#pragma once
#include <vector>

#include "config/job.h"
#include "program/program.h"

namespace pleat::compile {

struct Work {
  program::Phase phase = program::Phase::forward;  // forward, backward or weight
  int micro_batch = 0;
};

/// All forwards, then all backwards, each in order of micro-batches (Huang et al. 2019, GPipe).
/// Bubble: (P - 1)(F + B) of (M + P - 1)(F + B).
std::vector<Work> gpipe(int stage, int stages, int micro_batches);

/// min(P - 1 - stage, M) forwards, then one forward, one backward in turn (Narayanan et al. 2019/2021,
/// PipeDream-flush). The same bubble as gpipe; at most P - stage micro-batches in flight.
std::vector<Work> one_f_one_b(int stage, int stages, int micro_batches);

std::vector<Work> schedule_of(config::Schedule schedule, int stage, int stages, int micro_batches);

}  // namespace pleat::compile
