// SPDX-License-Identifier: Apache-2.0
// Tiles, bars and tables of the report.
#include "train/report_tables.h"

#include <algorithm>
#include <cmath>

#include "base/errors.h"
#include "train/progress.h"
#include "train/report_scale.h"
#include "train/report_text.h"

namespace pleat::train {

namespace {

double median_of(const ReportInput& input, double StepMetrics::* member) {
  std::vector<double> values;
  for (const StepMetrics& metrics : warm_steps(input.metrics)) values.push_back(metrics.*member);
  return median(values);
}

std::string tile(std::string_view name, std::string_view value, std::string_view unit,
                 const std::string& note) {
  return fmt::format("<div class=\"tile\"><dt>{}</dt><dd>{}<small> {}</small></dd><p>{}</p></div>\n",
                     escape_html(name), escape_html(value), escape_html(unit), escape_html(note));
}

const BitsPerByteRow* own_row(const ReportInput& input) {
  for (const BitsPerByteRow& row : input.bits_per_byte)
    if (row.ours) return &row;
  return nullptr;
}

/// "gzip -9 needs 2.513": the best of the others is the one to beat.
std::string strongest_rival(const ReportInput& input) {
  const BitsPerByteRow* best = nullptr;
  for (const BitsPerByteRow& row : input.bits_per_byte)
    if (!row.ours && (best == nullptr || row.bits < best->bits)) best = &row;
  return best == nullptr ? "" : fmt::format("{} needs {}", best->name, readable(best->bits));
}

std::string loss_tile(const ReportInput& input) {
  std::vector<double> losses;
  for (const StepMetrics& metrics : input.metrics) losses.push_back(metrics.loss);
  const size_t tail = std::min<size_t>(20, losses.size() / 10 + 1);
  const double last = median(std::span(losses).last(tail));
  return tile("Training loss", readable(last), "nats/token",
              fmt::format("from {}", readable(losses.front())));
}

/// Peak of the rank that needs most: what was touched, else what was predicted.
std::string memory_tile(const ReportInput& input) {
  int64_t touched = 0, predicted = 0;
  for (const MemoryRow& row : input.memory) {
    if (!row.rank) continue;
    touched = std::max(touched, row.highest_touched.value_or(0));
    predicted = std::max(predicted, row.predicted_peak.value_or(0));
  }
  const std::string text = humanise_bytes(touched > 0 ? touched : predicted);
  const size_t blank = text.find(' ');
  std::string note =
      touched > 0 && predicted > 0 ? fmt::format("predicted {}", humanise_bytes(predicted)) : "";
  return tile("Peak memory per rank", text.substr(0, blank), text.substr(blank + 1), note);
}

std::string step_tile(const ReportInput& input, double seconds) {
  const std::string text = readable_seconds(seconds);
  const size_t blank = text.find(' ');
  std::string note = "median";
  if (const std::optional<double> predicted =
          input.calibrated_step_seconds ? input.calibrated_step_seconds : input.predicted_step_seconds)
    note = fmt::format("predicted {} ({})", readable_seconds(*predicted),
                       readable_difference(*predicted, seconds));
  return tile("Step", text.substr(0, blank), blank == std::string::npos ? "" : text.substr(blank + 1), note);
}

/// A name, a bar as long as value / largest, and texts behind it.
std::string bar(std::string_view name, double share, bool accent, std::string_view value,
                std::string_view note) {
  const double percent = std::isfinite(share) ? 100 * std::clamp(share, 0.0, 1.0) : 0;
  return fmt::format(
      R"(<div class="bar{}"><span>{}</span><i><i style="width:{:.2f}%"></i></i><b>{}</b><small>{}</small></div>)"
      "\n",
      accent ? " ours" : "", escape_html(name), percent, escape_html(value), escape_html(note));
}

}  // namespace

std::optional<double> step_seconds(const ReportInput& input) {
  if (input.measured_step_seconds) return input.measured_step_seconds;
  if (input.metrics.empty()) return {};
  return median_of(input, &StepMetrics::seconds);
}

std::string tiles_html(const ReportInput& input) {
  std::string out;
  if (const BitsPerByteRow* own = own_row(input))
    out += tile("Held-back text", readable(own->bits), "bits/byte", strongest_rival(input));
  if (!input.metrics.empty()) {
    out += loss_tile(input);
    out += tile("Speed", readable(std::round(median_of(input, &StepMetrics::tokens_per_s))), "tokens/s",
                "median over the steps");
  }
  if (const std::optional<double> seconds = step_seconds(input)) out += step_tile(input, *seconds);
  if (!input.memory.empty()) out += memory_tile(input);
  if (!input.metrics.empty()) {
    double seconds = 0;
    for (const StepMetrics& metrics : input.metrics)
      if (std::isfinite(metrics.seconds)) seconds += metrics.seconds;
    const std::string tokens = humanise_quantity(static_cast<double>(input.metrics.back().tokens));
    const size_t blank = std::min(tokens.find(' '), tokens.size());
    out += tile("Trained on", tokens.substr(0, blank), tokens.substr(blank) + " tokens",
                fmt::format("{} steps in {}", humanise_count(static_cast<int64_t>(input.metrics.size())),
                            humanise_duration(seconds)));
  }
  return out.empty() ? "" : "<dl class=\"tiles\">\n" + out + "</dl>\n";
}

std::string bits_per_byte_html(const ReportInput& input) {
  if (input.bits_per_byte.empty()) return "";
  double largest = 0;
  for (const BitsPerByteRow& row : input.bits_per_byte) largest = std::max(largest, row.bits);
  const BitsPerByteRow* own = own_row(input);
  std::string out = "<div class=\"bars\">\n";
  for (const BitsPerByteRow& row : input.bits_per_byte) {
    const std::string note = own == nullptr || row.ours
                                 ? ""
                                 : fmt::format("this model: {}", readable_difference(own->bits, row.bits));
    out += bar(row.name, row.bits / largest, row.ours, readable(row.bits), note);
  }
  return out + "</div>\n";
}

std::string samples_html(const ReportInput& input) {
  std::string out;
  for (const Sample& sample : input.samples)
    out += fmt::format("<pre class=\"sample\"><span>{}</span>{}</pre>\n", escape_html(sample.prompt),
                       escape_html(sample.text));
  return out;
}

std::string facts_html(const ReportInput& input) {
  std::string out;
  for (const Fact& fact : input.facts)
    out +=
        fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escape_html(fact.name), escape_html(fact.value));
  return out.empty() ? "" : "<dl class=\"facts\">\n" + out + "</dl>\n";
}

}  // namespace pleat::train
