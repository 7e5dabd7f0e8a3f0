// SPDX-License-Identifier: Apache-2.0
// report.html: one self-contained page about a run (inline SVG, CSS and a little JavaScript for hovering; no
// network). A pure function of ReportInput; it measures and looks up nothing. Sections without input are left
// out.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "train/metrics.h"

namespace pleat::train {

/// A loss on held-back text, drawn as a point on the loss curve.
struct HeldOutPoint {
  int64_t step = 0;
  double loss = 0;  // nats per token
};

/// Peak memory of a rank, or of all of them together, said three times; what was not measured stays empty.
struct MemoryRow {
  std::optional<int32_t> rank{};             // none: the process, which is all ranks
  std::optional<int64_t> predicted_peak{};   // arena bytes of the Program
  std::optional<int64_t> highest_touched{};  // highest byte of the patterned arena that was written
  std::optional<int64_t> resident_growth{};  // of the process, from before bind to after the first steps
};

/// One piece of work on a queue. `kind` decides the colour (F, B, W, transfer, ...), `name` is shown on
/// hovering.
struct TimelineSpan {
  int32_t rank = 0;
  std::string queue{};
  std::string name{};
  std::string kind{};
  int64_t start_ns = 0;  // from the beginning of the step
  int64_t duration_ns = 0;
};

/// One way to code the held-back text. The smaller the better; `ours` marks the model's own bar.
struct BitsPerByteRow {
  std::string name{};  // "this model", "unigram entropy", "gzip -9", "xz -9, after the training text"
  double bits = 0;
  bool ours = false;
};

struct Fact {
  std::string name{}, value{};  // "layout", "pp 2, dp 2, ep 2"
};

struct Sample {
  std::string prompt{}, text{};  // any bytes: what is not UTF-8 is shown as a replacement character
};

/// Everything but the metrics is optional.
struct ReportInput {
  std::string title{};  // the run's name
  std::string
      subtitle{};  // one line: "qwen3_moe, 13.1 M parameters (2.0 M active), 4 ranks: pp 2, dp 2, ep 2"
  std::vector<StepMetrics> metrics{};
  std::vector<HeldOutPoint> held_out{};
  std::vector<BitsPerByteRow> bits_per_byte{};
  std::string
      bits_per_byte_note{};  // "1.1 MB of held-back text, 0.8 % of its long lines also occur in training"
  std::optional<double> predicted_step_seconds{};   // from the machine's rates alone
  std::optional<double> calibrated_step_seconds{};  // and from the times that a few first steps took
  std::optional<double>
      measured_step_seconds{};    // without it: the median of the metrics after the first steps
  std::string measured_note{};    // "median of steps 4 to 900"
  double prediction_aim = 0;      // the error that a prediction may have: 0.3 is 30 %; 0: nothing is asked
  std::string prediction_note{};  // why this aim: "4 ranks of 1 thread share 2 cores"
  std::vector<TimelineSpan> predicted_timeline{}, measured_timeline{};  // one step; any order
  std::vector<MemoryRow> memory{};
  std::vector<Sample> samples{};
  std::vector<Fact> facts{};  // job, layout, parameters, tokens, precision, machine, versions
  std::string footer{};       // version and date, say
};

/// The whole page.
std::string report_html(const ReportInput& input);

/// Writes the page beside `path` and renames it into place; DataError when the disk refuses.
void write_report(const std::filesystem::path& path, const ReportInput& input);

}  // namespace pleat::train
