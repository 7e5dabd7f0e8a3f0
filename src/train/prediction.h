// SPDX-License-Identifier: Apache-2.0
// A run's step beside what simulate says of it, twice: from the machine's rates alone, as before any run, and
// with factors from a few recorded steps.
#pragma once
#include "config/job.h"
#include "program/program.h"
#include "train/host.h"
#include "train/recorder.h"
#include "train/report.h"

namespace pleat::train {

/// Sets the step's predictions and both timelines. `recorder` may have recorded nothing: then there is no
/// calibration and no measured timeline.
void predict_step(const config::Job& job, const program::Program& program, const Recorder& recorder,
                  const Host& host, ReportInput& input);

/// Sets the measured step: the median over the steps after `first`, of which a few warm up.
void measure_step(int64_t first, ReportInput& input);

/// "step: 512 ms measured, 430 ms predicted (-16.0 %), ..."; "" when there is nothing to compare.
std::string comparison_line(const ReportInput& input);

}  // namespace pleat::train
