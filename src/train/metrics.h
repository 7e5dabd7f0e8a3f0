// SPDX-License-Identifier: Apache-2.0
// What a training step reports, and metrics.jsonl: one JSON object a step, every number printed so that it
// reads back exactly. The file is the record of a run; the TensorBoard events and report.html are made from
// the same StepMetrics.
#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pleat::train {

inline constexpr int64_t kMetricsFormat = 1;

struct StepMetrics {
  int64_t step = 0;
  double loss = 0;  // cross entropy, nats per token
  std::vector<std::pair<std::string, double>>
      auxiliary{};  // "balance_loss", "z_loss", ...: keys of their own
  double grad_norm = 0;
  double lr = 0;
  int64_t tokens = 0;  // cumulative
  double seconds = 0;  // of this step
  double tokens_per_s = 0;
  std::optional<double>
      balance{};  // busiest expert's load over the mean load, averaged over layers; absent when dense
  bool operator==(const StepMetrics&) const = default;
};

/// Steps at a start that do not count for speed: first touches, cold caches.
inline constexpr int64_t kWarmUpSteps = 3;

/// Those after step `first`, without the first kWarmUpSteps of them where two or more are left.
std::span<const StepMetrics> warm_steps(std::span<const StepMetrics> metrics, int64_t first = 0);

/// One line of metrics.jsonl, without its newline. JSON has no NaN and no infinity: both become null.
std::string to_json_line(const StepMetrics& metrics);

/// The inverse of to_json_line; null reads as NaN. `where` (a file and line) names the place in a DataError.
StepMetrics from_json_line(std::string_view line, std::string_view where);

/// Appends to metrics.jsonl, flushed after every line; a failed write is a DataError.
class MetricsWriter {
 public:
  explicit MetricsWriter(std::filesystem::path path);
  void write(const StepMetrics& metrics);

 private:
  std::filesystem::path path_;
  std::ofstream file_;
};

/// All steps of a file, in its order. A torn last line (a run that was killed) is left out.
std::vector<StepMetrics> read_metrics(const std::filesystem::path& path);

/// Before a run is resumed at `step`: drops the lines of later steps and a torn last line, by an atomic
/// replacement of the file. Returns how many lines stay; a file that does not exist has none.
int64_t cut_back(const std::filesystem::path& path, int64_t step);

}  // namespace pleat::train
