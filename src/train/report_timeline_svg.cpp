// SPDX-License-Identifier: Apache-2.0
// The timeline without a script: one path per lane, timeline and colour, in few thousand strokes.
#include <algorithm>
#include <array>

#include "base/errors.h"
#include "train/report_text.h"
#include "train/report_timeline.h"

namespace pleat::train {

namespace {

constexpr size_t kStrokes = 4'000;  // of each of the two timelines
constexpr int kNames = 190, kWidth = 1120, kRow = 11, kGap = 6;
constexpr std::array<std::string_view, 2> kSources{"predicted", "measured"};

/// From the left edge of the lanes' names.
double across(int64_t ns, int64_t end) {
  return kNames + (kWidth - kNames) * static_cast<double>(ns) / static_cast<double>(end);
}

std::string text(double x, int y, std::string_view words) {
  return fmt::format(R"(<text x="{}" y="{}">{}</text>)", x, y, escape_html(words));
}

/// The strokes of one lane of one timeline, by colour.
using Strokes = std::map<int, std::string>;

std::string row(const Strokes& strokes, int y) {
  std::string out;
  for (const auto& [colour, commands] : strokes)
    out += fmt::format(R"h(<path transform="translate(0 {})" stroke="var(--k{})" d="{}"/>)h", y, colour,
                       commands);
  return out;
}

std::map<std::pair<int32_t, std::string>, Strokes> strokes_of(const std::vector<TimelineSpan>& timeline,
                                                              const std::map<std::string, int>& colours,
                                                              int64_t end) {
  std::map<std::pair<int32_t, std::string>, Strokes> lanes;
  for (const TimelineSpan& span : coalesce(timeline, kStrokes)) {
    const double from = across(span.start_ns, end), to = across(span.start_ns + span.duration_ns, end);
    const auto colour = colours.find(span.kind);
    lanes[{span.rank, span.queue}][colour == colours.end() ? 7 : colour->second] +=
        fmt::format("M{:.1f} 0h{:.1f}", from, std::max(0.3, to - from));
  }
  return lanes;
}

}  // namespace

std::string timeline_svg(const ReportInput& input) {
  const int64_t end = std::max<int64_t>(1, end_of_timelines(input));
  const std::vector<TimelineLane> lanes = lanes_of(input);
  const std::map<std::string, int> colours = colours_by_kind(input);
  const std::vector<TimelineSpan>* const timelines[] = {&input.predicted_timeline, &input.measured_timeline};
  std::array<std::map<std::pair<int32_t, std::string>, Strokes>, 2> strokes;
  for (size_t which = 0; which < 2; ++which) strokes[which] = strokes_of(*timelines[which], colours, end);
  int y = kRow;
  std::string body;
  for (const TimelineLane& lane : lanes) {
    body += text(0, y + 4, fmt::format("rank {} · {}", lane.rank, lane.queue));
    for (size_t which = 0; which < 2; ++which) {
      if (timelines[which]->empty()) continue;
      body += text(kNames - 62, y + 4, kSources[which]) + row(strokes[which][{lane.rank, lane.queue}], y);
      y += kRow;
    }
    y += kGap;
  }
  body +=
      text(kNames, y + 6, "0") + text(kWidth - 60, y + 6, readable_seconds(static_cast<double>(end) * 1e-9));
  return fmt::format(
      R"(<svg class="still" viewBox="0 0 {} {}" role="img" aria-label="One step by rank and queue">{}</svg>)",
      kWidth, y + 12, body);
}

}  // namespace pleat::train
