// SPDX-License-Identifier: Apache-2.0
// The page: which sections there are, in which order, and which curves.
#include "train/report.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/errors.h"
#include "train/replace_file.h"
#include "train/report_assets.h"
#include "train/report_chart.h"
#include "train/report_tables.h"
#include "train/report_text.h"
#include "train/report_timeline.h"

namespace pleat::train {

namespace {

constexpr size_t kLongRun = 200;  // steps from which the second half gets a chart of its own
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

std::string section(std::string_view title, std::string_view note, const std::string& content) {
  if (content.empty()) return "";
  std::string out = fmt::format("<section><h2>{}</h2>\n", escape_html(title));
  if (!note.empty()) out += fmt::format("<p class=\"note\">{}</p>\n", escape_html(note));
  return out + content + "</section>\n";
}

/// A curve over the steps; `value` maps StepMetrics to a number.
template <class Value>
Chart curve(const ReportInput& input, std::string title, std::string unit, Value value) {
  Chart chart{.title = std::move(title), .unit = std::move(unit)};
  for (const StepMetrics& metrics : input.metrics) {
    chart.x.push_back(static_cast<double>(metrics.step));
    chart.y.push_back(value(metrics));
  }
  return chart;
}

/// The whole curve, and beside it the second half, whose slope the fall of the first steps would hide.
std::string loss_charts(const ReportInput& input) {
  Chart loss =
      curve(input, "Loss", "nats per token", [](const StepMetrics& metrics) { return metrics.loss; });
  loss.large = true;
  for (const HeldOutPoint& point : input.held_out)
    loss.marks.push_back(
        {static_cast<double>(point.step), point.loss, fmt::format("held-out {}", readable(point.loss))});
  if (loss.x.size() < kLongRun) return chart_html(loss);
  Chart tail = loss;
  tail.title = "Loss, second half";
  tail.unit.clear();
  tail.marks.clear();
  tail.large = false;
  tail.tall = true;
  tail.first = loss.x.size() / 2;
  return "<div class=\"pair\">\n" + chart_html(loss) + chart_html(tail) + "</div>\n";
}

double auxiliary(const StepMetrics& metrics, const std::string& key) {
  for (const auto& [name, value] : metrics.auxiliary)
    if (name == key) return value;
  return kMissing;
}

std::string small_charts(const ReportInput& input) {
  Chart speed = curve(input, "Throughput", "tokens/s", [](const StepMetrics& m) { return m.tokens_per_s; });
  speed.includes = {0};
  Chart rate = curve(input, "Learning rate", "", [](const StepMetrics& m) { return m.lr; });
  rate.includes = {0};
  rate.smoothed = false;
  Chart norm =
      curve(input, "Gradient norm", "before clipping", [](const StepMetrics& m) { return m.grad_norm; });
  norm.includes = {0};
  norm.logarithmic_if_wide = true;
  std::string out = chart_html(speed) + chart_html(rate) + chart_html(norm);
  if (std::any_of(input.metrics.begin(), input.metrics.end(),
                  [](const auto& m) { return m.balance.has_value(); })) {
    Chart balance = curve(input, "Router balance", "busiest expert / mean",
                          [](const StepMetrics& m) { return m.balance.value_or(kMissing); });
    balance.includes = {1};
    out += chart_html(balance);
  }
  std::vector<std::string> keys;
  for (const StepMetrics& metrics : input.metrics)
    for (const auto& [key, value] : metrics.auxiliary)
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
  for (const std::string& key : keys)
    out += chart_html(
        curve(input, key, "auxiliary", [&](const StepMetrics& metrics) { return auxiliary(metrics, key); }));
  return "<div class=\"charts\">\n" + out + "</div>\n";
}

std::string training(const ReportInput& input) {
  return input.metrics.empty() ? "" : loss_charts(input) + small_charts(input);
}

}  // namespace

std::string report_html(const ReportInput& input) {
  const std::string title = escape_html(input.title.empty() ? "training run" : input.title);
  std::string page = fmt::format(R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{0} – Pleat</title><style>{1}</style></head><body><main>
<header><p class="brand">Pleat · training report</p><h1>{0}</h1><p class="subtitle">{2}</p></header>
)",
                                 title, kReportStyle, escape_html(input.subtitle));
  page += tiles_html(input);
  page += section("Training", "By step; point at a curve for its values.", training(input));
  page += section("Bits per byte of held-back text", input.bits_per_byte_note, bits_per_byte_html(input));
  page += section("Sample", "The prompt is set in grey; what follows was generated.", samples_html(input));
  page += section("Step, predicted and measured", "", step_time_html(input) + timeline_html(input));
  page += section(
      "Memory of each rank",
      "The peak that the Program promises before the run, the highest byte of the patterned arena "
      "that the run wrote, and how much the resident memory grew from before bind to after the first steps. "
      "Ranks are threads of one process, so the growth is of all of them: the arenas, and what "
      "libraries take.",
      memory_html(input));
  page += section("Facts", "", facts_html(input));
  if (input.metrics.empty()) page += "<p class=\"note\">No step has been recorded yet.</p>\n";
  if (!input.footer.empty()) page += fmt::format("<footer>{}</footer>\n", escape_html(input.footer));
  return page + fmt::format("</main><div class=\"tip\" hidden></div><script>{}</script></body></html>\n",
                            kReportScript);
}

void write_report(const std::filesystem::path& path, const ReportInput& input) {
  replace_file(path, report_html(input));
}

}  // namespace pleat::train
