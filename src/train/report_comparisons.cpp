// SPDX-License-Identifier: Apache-2.0
// The tables in which what the Program promised stands beside what was measured: step time and memory.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/errors.h"
#include "train/progress.h"
#include "train/report_tables.h"
#include "train/report_text.h"

namespace pleat::train {

namespace {

std::string percent(double share) {
  return fmt::format("{:.1f} %", 100 * share);
}

double error_of(double predicted, double measured) {
  return std::abs(predicted - measured) / measured;
}

/// "The predicted step is off by 4.1 % after calibration with the operations' times in a few first steps, by
/// 18.0 % before: within the aim of 30 % (4 ranks of 1 thread share 2 cores)."
std::string step_sentence(const ReportInput& input, double measured) {
  const std::optional<double>& predicted = input.predicted_step_seconds;
  const std::optional<double>& calibrated = input.calibrated_step_seconds;
  const double error = error_of(calibrated ? *calibrated : *predicted, measured);
  std::string text = fmt::format("The predicted step is off by {}", percent(error));
  if (calibrated)
    text += fmt::format(" after calibration with the operations' times in a few first steps, by {} before",
                        percent(error_of(*predicted, measured)));
  if (input.prediction_aim > 0) {
    text += fmt::format(": {} the aim of {:.0f} %", error <= input.prediction_aim ? "within" : "outside",
                        100 * input.prediction_aim);
    if (!input.prediction_note.empty()) text += fmt::format(" ({})", input.prediction_note);
  }
  return fmt::format("<p class=\"note\">{}.</p>\n", escape_html(text));
}

/// A row of the table of step times, with a bar as long as its share of the largest.
std::string step_row(std::string_view name, std::string_view note, double seconds, double measured,
                     double largest, int colour) {
  const std::string off =
      note.empty() ? readable_difference(seconds, measured) : fmt::format("{}", escape_html(note));
  return fmt::format(
      R"h(<tr><td><i class="swatch" style="background:var(--k{0})"></i>{1}</td><td>{2}</td><td>{3}</td><td class="wide"><i class="thin" style="width:{4:.2f}%;background:var(--k{0})"></i></td></tr>)h"
      "\n",
      colour, escape_html(name), readable_seconds(seconds), off, 100 * seconds / largest);
}

std::string bytes_cell(const std::optional<int64_t>& bytes) {
  return fmt::format("<td>{}</td>", bytes ? humanise_bytes(*bytes) : "–");
}

using MemoryValues = std::array<std::optional<int64_t>, 3>;

MemoryValues values_of(const MemoryRow& row) {
  return {row.predicted_peak, row.highest_touched, row.resident_growth};
}

/// Bars are comparable among ranks, and among those of the process.
double largest_like(const ReportInput& input, const MemoryRow& like) {
  double largest = 1;
  for (const MemoryRow& row : input.memory) {
    if (row.rank.has_value() != like.rank.has_value()) continue;
    for (const auto& bytes : values_of(row))
      largest = std::max(largest, static_cast<double>(bytes.value_or(0)));
  }
  return largest;
}

std::string memory_row(const ReportInput& input, const MemoryRow& row) {
  constexpr int kColours[] = {7, 0, 2};
  const MemoryValues values = values_of(row);
  const double largest = largest_like(input, row);
  std::string cells, bars;
  for (size_t i = 0; i < values.size(); ++i) {
    cells += bytes_cell(values[i]);
    if (!values[i]) continue;
    bars += fmt::format(R"h(<i class="thin" style="width:{:.2f}%;background:var(--k{})"></i>)h",
                        std::max(0.0, 100 * static_cast<double>(*values[i]) / largest), kColours[i]);
  }
  return fmt::format("<tr{}><td>{}</td>{}<td class=\"wide\">{}</td></tr>\n", row.rank ? "" : " class=\"sum\"",
                     row.rank ? fmt::format("{}", *row.rank) : "all, one process", cells, bars);
}

}  // namespace

std::string step_time_html(const ReportInput& input) {
  const std::optional<double> measured = step_seconds(input), predicted = input.predicted_step_seconds;
  if (!measured || !predicted || !std::isfinite(*measured) || *measured <= 0) return "";
  const std::optional<double> calibrated = input.calibrated_step_seconds;
  const double largest = std::max({*measured, *predicted, calibrated.value_or(0)});
  std::string out = step_sentence(input, *measured);
  out +=
      "<table class=\"numbers steptimes\"><thead><tr><th>Step</th><th>time</th><th>off by</th><th "
      "class=\"wide\"></th></tr></thead><tbody>\n";
  out += step_row("predicted from the machine's rates", "", *predicted, *measured, largest, 7);
  if (calibrated) out += step_row("predicted after calibration", "", *calibrated, *measured, largest, 4);
  out += step_row("measured", input.measured_note.empty() ? "median" : input.measured_note, *measured,
                  *measured, largest, 0);
  return out + "</tbody></table>\n";
}

std::string memory_html(const ReportInput& input) {
  if (input.memory.empty()) return "";
  std::string out = R"h(<table class="numbers memory"><thead><tr><th>Rank</th>
<th><i class="swatch" style="background:var(--k7)"></i>predicted peak</th>
<th><i class="swatch" style="background:var(--k0)"></i>highest byte touched</th>
<th><i class="swatch" style="background:var(--k2)"></i>resident growth</th><th class="wide"></th></tr></thead><tbody>
)h";
  for (const MemoryRow& row : input.memory) out += memory_row(input, row);
  return out + "</tbody></table>\n";
}

}  // namespace pleat::train
