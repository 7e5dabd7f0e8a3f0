// SPDX-License-Identifier: Apache-2.0
// A chart's HTML. The SVG has a square of 1000 x 1000 units, stretched to the plot; strokes do not stretch
// with it.
#include "train/report_chart.h"

#include <algorithm>
#include <cmath>

#include "base/errors.h"
#include "train/report_scale.h"
#include "train/report_text.h"

namespace pleat::train {

namespace {

constexpr size_t kEnoughToSmooth = 60;
constexpr double kWide = 30;  // greatest / median from which a logarithmic axis shows more

struct Drawing {
  Axis x, y;
  std::vector<size_t> kept;      // the points drawn
  std::vector<double> values;    // of those
  std::vector<double> smoothed;  // one for each kept; empty when not drawn
  size_t gaps = 0;
};

Axis value_axis(const Chart& chart) {
  std::vector<double> finite(chart.includes);
  for (const ChartMark& mark : chart.marks) finite.push_back(mark.y);
  finite.insert(finite.end(), chart.y.begin() + static_cast<long>(chart.first), chart.y.end());
  std::erase_if(finite, [](double value) { return !std::isfinite(value); });
  if (finite.empty()) return widened_axis(0, 1, 4);
  const auto [low, high] = std::minmax_element(finite.begin(), finite.end());
  const double least = *low, greatest = *high;
  if (chart.logarithmic_if_wide && least > 0 && greatest > kWide * median(finite))
    return logarithmic_axis(least, greatest);
  return widened_axis(least, greatest, chart.large || chart.tall ? 6 : 4);
}

Drawing lay_out(const Chart& chart) {
  Drawing drawing;
  const bool empty = chart.x.empty();
  drawing.x = tight_axis(empty ? 0 : chart.x[chart.first], empty ? 1 : chart.x.back(), chart.large ? 10 : 4);
  std::erase_if(drawing.x.ticks, [](double step) { return step != std::floor(step); });
  drawing.y = value_axis(chart);
  drawing.kept = downsample(std::span(chart.y).subspan(chart.first), chart.large ? 600 : 240);
  for (size_t& i : drawing.kept) i += chart.first;
  for (const size_t i : drawing.kept) drawing.values.push_back(chart.y[i]);
  if (chart.smoothed && chart.y.size() >= kEnoughToSmooth)
    drawing.smoothed = moving_average(chart.y, chart.y.size() / 50, drawing.kept);
  drawing.gaps =
      static_cast<size_t>(std::count_if(chart.y.begin() + static_cast<long>(chart.first), chart.y.end(),
                                        [](double value) { return !std::isfinite(value); }));
  return drawing;
}

/// `values`: one for each kept point.
std::string path(const Chart& chart, const Drawing& drawing, const std::vector<double>& values) {
  std::string commands;
  bool pen_up = true;
  for (size_t k = 0; k < values.size(); ++k) {
    if (!std::isfinite(values[k])) {
      pen_up = true;
      continue;
    }
    commands += fmt::format("{}{:.1f} {:.1f}", pen_up ? "M" : "L",
                            1000 * drawing.x.position(chart.x[drawing.kept[k]]),
                            1000 * (1 - drawing.y.position(values[k])));
    if (pen_up) commands += "h0";  // so that a point between two gaps shows
    pen_up = false;
  }
  return commands;
}

std::string svg(const Chart& chart, const Drawing& drawing) {
  std::string grid;
  for (const double tick : drawing.y.ticks)
    grid += fmt::format("M0 {0:.1f}H1000", 1000 * (1 - drawing.y.position(tick)));
  std::string label = chart.title;
  if (!drawing.kept.empty())
    label += fmt::format(": {} at step {}, {} at step {}", readable(chart.y[chart.first]),
                         chart.x[chart.first], readable(chart.y.back()), chart.x.back());
  std::string out = fmt::format(
      R"(<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" aria-label="{}"><path class="grid" d="{}"/>)",
      escape_html(label), grid);
  out += fmt::format(R"(<path class="{}" d="{}"/>)", drawing.smoothed.empty() ? "line" : "steps",
                     path(chart, drawing, drawing.values));
  if (!drawing.smoothed.empty())
    out += fmt::format(R"(<path class="line" d="{}"/>)", path(chart, drawing, drawing.smoothed));
  return out + "</svg>";
}

std::string axis_labels(const Drawing& drawing) {
  std::string out = R"(<div class="ylabels">)";
  const std::vector<std::string> ylabels = tick_labels(drawing.y), xlabels = tick_labels(drawing.x);
  for (size_t i = 0; i < ylabels.size(); ++i)
    out += fmt::format(R"(<span style="bottom:{:.2f}%">{}</span>)",
                       100 * drawing.y.position(drawing.y.ticks[i]), escape_html(ylabels[i]));
  out += R"(</div><div class="xlabels">)";
  for (size_t i = 0; i < xlabels.size(); ++i)
    out += fmt::format(R"(<span style="left:{:.2f}%">{}</span>)",
                       100 * drawing.x.position(drawing.x.ticks[i]), escape_html(xlabels[i]));
  return out + "</div>";
}

std::string marks(const Chart& chart, const Drawing& drawing) {
  std::string out;
  for (const ChartMark& mark : chart.marks) {
    const double x = drawing.x.position(mark.x), y = drawing.y.position(mark.y);
    if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1)) continue;
    out += fmt::format(R"(<i class="mark{}" style="left:{:.2f}%;bottom:{:.2f}%"><b>{}</b></i>)",
                       x > 0.8 ? " leftward" : "", 100 * x, 100 * y, escape_html(mark.label));
  }
  return out;
}

/// {"x":[low,high],"y":[low,high],"log":0,"points":[[step,value,average],...]}
std::string hover_data(const Chart& chart, const Drawing& drawing) {
  std::string points;
  for (size_t k = 0; k < drawing.kept.size(); ++k) {
    points += fmt::format("{}[{},{}", points.empty() ? "" : ",", json_number(chart.x[drawing.kept[k]]),
                          json_number(drawing.values[k]));
    points += drawing.smoothed.empty() ? "]" : "," + json_number(drawing.smoothed[k]) + "]";
  }
  return fmt::format(R"({{"x":[{:.9g},{:.9g}],"y":[{:.9g},{:.9g}],"log":{:d},"points":[{}]}})", drawing.x.low,
                     drawing.x.high, drawing.y.low, drawing.y.high, drawing.y.logarithmic, points);
}

std::string caption(const Chart& chart, const Drawing& drawing) {
  std::vector<std::string> notes;
  if (!chart.unit.empty()) notes.push_back(escape_html(chart.unit));
  if (drawing.y.logarithmic) notes.push_back("logarithmic");
  if (drawing.gaps > 0)
    notes.push_back(fmt::format("{} step{} not finite", drawing.gaps, drawing.gaps == 1 ? "" : "s"));
  std::string out =
      fmt::format("<figcaption><b>{}</b> <span>{}</span>", escape_html(chart.title), fmt::join(notes, "; "));
  if (chart.large) {
    out += R"(<span class="key">)";
    if (!drawing.smoothed.empty())
      out += R"(<i class="swatch faint"></i>each step<i class="swatch"></i>moving average)";
    if (!chart.marks.empty()) out += R"(<i class="swatch dot"></i>held-out)";
    out += "</span>";
  }
  return out + "</figcaption>";
}

}  // namespace

std::string chart_html(const Chart& chart) {
  const Drawing drawing = lay_out(chart);
  return fmt::format(
      R"(<figure class="chart{}">{}<div class="plot" data-plot="{}">{}<div class="area" tabindex="0">{}{}</div></div></figure>)"
      "\n",
      chart.large  ? " large"
      : chart.tall ? " tall"
                   : "",
      caption(chart, drawing), escape_html(hover_data(chart, drawing)), axis_labels(drawing),
      svg(chart, drawing), marks(chart, drawing));
}

}  // namespace pleat::train
