// SPDX-License-Identifier: Apache-2.0
// The progress line of a run. It only makes strings, from times that the caller gives; the command line
// prints them.
//   step 120/1500  loss 2.345  18,432 tok/s  ETA 3m12s  mem 212 MiB
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "train/metrics.h"

namespace pleat::train {

std::string humanise_count(int64_t count);       // 18432 -> "18,432"
std::string humanise_bytes(int64_t bytes);       // "212 MiB", "1.5 GiB": three digits at most
std::string humanise_duration(double seconds);   // "0.4s", "42s", "3m12s", "2h05m", "3d04h"
std::string humanise_quantity(double quantity);  // 13.1e6 -> "13.1 M"

class Progress {
 public:
  enum class Medium { terminal, pipe };

  /// A run of steps first_step + 1 ... last_step. A pipe gets a line at most every `interval` seconds, a
  /// terminal is redrawn in place at most ten times a second; the first and the last step are always shown.
  Progress(Medium medium, int64_t first_step, int64_t last_step, double interval = 10);

  /// What to print after a step at time `now` (seconds on any monotonic clock), possibly "". `memory`:
  /// resident bytes.
  std::string step(const StepMetrics& metrics, double now, std::optional<int64_t> memory = {});

  /// A line of other text (a checkpoint saved, a step skipped) that must not tear the progress line.
  std::string note(std::string_view text);

  /// Ends the line that a terminal is drawing; "" on a pipe.
  std::string finish();

  double tokens_per_s() const { return tokens_per_s_; }  // averaged over the last steps, as shown

 private:
  void average(const StepMetrics& metrics);
  bool due(const StepMetrics& metrics, double now) const;
  std::string line(const StepMetrics& metrics, std::optional<int64_t> memory) const;
  std::string redraw(const std::string& text);

  Medium medium_;
  int64_t last_step_;
  double interval_;
  std::optional<double> shown_at_{};
  std::string drawn_{};  // what stands on the terminal's line now
  double seconds_ = 0, tokens_per_s_ = 0, weight_ = 0;
};

}  // namespace pleat::train
