// SPDX-License-Identifier: Apache-2.0
// One curve over steps as HTML: an SVG that stretches with the page, labels beside it that do not, and the
// numbers for the page's script to show on hovering.
#pragma once
#include <string>
#include <vector>

namespace pleat::train {

struct ChartMark {
  double x = 0, y = 0;
  std::string label{};
};

struct Chart {
  std::string title{}, unit{};
  std::vector<double> x{}, y{};  // x ascending; y may hold values that are not finite: gaps
  size_t first = 0;              // index of the first point shown; those before it count for the average only
  std::vector<double> includes{};  // values that the y axis shows in any case: 0 for a rate, 1 for a ratio
  bool logarithmic_if_wide = false;
  bool large = false;    // wide and tall, with a key
  bool tall = false;     // as tall as a large one
  bool smoothed = true;  // their moving average drawn over the single steps, where there are enough
  std::vector<ChartMark> marks{};
};

std::string chart_html(const Chart& chart);

}  // namespace pleat::train
