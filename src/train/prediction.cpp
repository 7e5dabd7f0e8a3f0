// SPDX-License-Identifier: Apache-2.0
#include "train/prediction.h"

#include <algorithm>
#include <cmath>

#include "base/errors.h"
#include "simulate/simulate.h"
#include "train/measure.h"
#include "train/report_scale.h"
#include "train/report_text.h"
#include "train/request.h"

namespace pleat::train {
namespace {

// What a prediction may be off by: with ranks that share cores the system decides who waits for whom.
constexpr double kAimAlone = 0.2, kAimShared = 0.3;

double seconds(int64_t ns) {
  return static_cast<double>(ns) * 1e-9;
}

bool share_cores(const program::Program& program, int cores) {
  return program.layout.world() * program.threads > cores;
}

void set_aim(const program::Program& program, int cores, ReportInput& input) {
  const int64_t ranks = program.layout.world();
  const bool share = share_cores(program, cores);
  input.prediction_aim = share ? kAimShared : kAimAlone;
  input.prediction_note = fmt::format("{} rank{} of {} thread{} {} {} core{}", ranks, ranks == 1 ? "" : "s",
                                      program.threads, program.threads == 1 ? "" : "s",
                                      share        ? "share"
                                      : ranks == 1 ? "has"
                                                   : "have",
                                      cores, cores == 1 ? "" : "s");
}

}  // namespace

void predict_step(const config::Job& job, const program::Program& program, const Recorder& recorder,
                  const Host& host, ReportInput& input) {
  const target::Target target = host.target ? host.target() : measure_target(host);
  simulate::Options options;
  options.order = order_of(job);
  options.spans_of_all_ranks = true;
  const simulate::Result result = simulate::simulate(program, target, options);
  input.predicted_step_seconds = seconds(result.step_ns);
  input.predicted_timeline = timeline_of(result);
  set_aim(program, target.cores, input);
  if (recorder.turns() == 0) return;
  input.measured_timeline = recorder.timeline(recorder.typical_turn());
  options.spans = false;
  // Where ranks share cores, what passes from begin to end says less than what cores worked.
  const bool shared = share_cores(program, target.cores) && host.thread_clock;
  options.calibration =
      simulate::calibrate(program, target, options, shared ? recorder.worked() : recorder.ran());
  input.calibrated_step_seconds = seconds(simulate::simulate(program, target, options).step_ns);
}

void measure_step(int64_t first, ReportInput& input) {
  const std::span<const StepMetrics> steps = warm_steps(input.metrics, first);
  std::vector<double> times;
  for (const StepMetrics& metrics : steps) times.push_back(metrics.seconds);
  const double middle = median(times);
  if (!std::isfinite(middle)) return;
  input.measured_step_seconds = middle;
  input.measured_note = fmt::format("median of steps {} to {}", steps.front().step, steps.back().step);
}

std::string comparison_line(const ReportInput& input) {
  if (!input.measured_step_seconds || !input.predicted_step_seconds) return "";
  const double measured = *input.measured_step_seconds;
  std::string line = fmt::format("step: {} measured ({}), {} predicted ({})", readable_seconds(measured),
                                 input.measured_note, readable_seconds(*input.predicted_step_seconds),
                                 readable_difference(*input.predicted_step_seconds, measured));
  if (input.calibrated_step_seconds)
    line += fmt::format(", {} after calibration ({})", readable_seconds(*input.calibrated_step_seconds),
                        readable_difference(*input.calibrated_step_seconds, measured));
  return line;
}

}  // namespace pleat::train
