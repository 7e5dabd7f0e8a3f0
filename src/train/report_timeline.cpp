// SPDX-License-Identifier: Apache-2.0
// A step has some ten thousand spans: too many elements for SVG, so the page draws them on a canvas from this
// data.
#include "train/report_timeline.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "base/errors.h"
#include "train/report_text.h"
#include "train/text_numbers.h"

namespace pleat::train {

namespace {

constexpr size_t kSpanLimit = 40'000;  // of each of the two timelines: about a megabyte of page
constexpr int kColours = 7;            // --k0 ... --k6; what remains shares --k7

int64_t end_of(const TimelineSpan& span) {
  return span.start_ns + span.duration_ns;
}

int64_t last_end(std::span<const TimelineSpan> spans) {
  int64_t end = 0;
  for (const TimelineSpan& span : spans) end = std::max(end, end_of(span));
  return end;
}

std::vector<TimelineSpan> merge_within(std::span<const TimelineSpan> sorted, int64_t extent) {
  std::vector<TimelineSpan> merged;
  int64_t longest = 0, parts = 0;
  std::string name;
  for (const TimelineSpan& span : sorted) {
    TimelineSpan* last = merged.empty() ? nullptr : &merged.back();
    if (last == nullptr || last->rank != span.rank || last->queue != span.queue ||
        end_of(span) - last->start_ns > extent) {
      merged.push_back(span);
      longest = span.duration_ns, parts = 1, name = span.name;
      continue;
    }
    last->duration_ns = std::max(end_of(*last), end_of(span)) - last->start_ns;
    if (span.duration_ns > longest) longest = span.duration_ns, last->kind = span.kind, name = span.name;
    last->name = fmt::format("{} ({} in all)", name, ++parts);
  }
  return merged;
}

struct KindTime {
  std::string kind{};
  int64_t predicted_ns = 0, measured_ns = 0;
  int colour = kColours;
};

/// Of all ranks and queues, the largest first; the colours go to the largest.
std::vector<KindTime> time_by_kind(const ReportInput& input) {
  std::map<std::string, KindTime> by_name;
  for (const TimelineSpan& span : input.predicted_timeline)
    by_name[span.kind].predicted_ns += span.duration_ns;
  for (const TimelineSpan& span : input.measured_timeline) by_name[span.kind].measured_ns += span.duration_ns;
  std::vector<KindTime> kinds;
  for (auto& [name, time] : by_name) kinds.push_back({name, time.predicted_ns, time.measured_ns});
  std::stable_sort(kinds.begin(), kinds.end(), [](const KindTime& a, const KindTime& b) {
    return a.predicted_ns + a.measured_ns > b.predicted_ns + b.measured_ns;
  });
  int colour = 0;
  for (KindTime& kind : kinds)
    if (colour < kColours && kind.kind != "wait" && kind.kind != "idle") kind.colour = colour++;
  return kinds;
}

std::string kind_table(const ReportInput& input) {
  const std::vector<KindTime> kinds = time_by_kind(input);
  const bool predicted = !input.predicted_timeline.empty(), measured = !input.measured_timeline.empty();
  std::string out = "<table class=\"numbers\"><thead><tr><th>Work, over all ranks</th>";
  if (predicted) out += "<th>predicted</th>";
  if (measured) out += "<th>measured</th>";
  if (predicted && measured) out += "<th>prediction is off by</th>";
  out += "</tr></thead><tbody>\n";
  for (const KindTime& kind : kinds) {
    out += fmt::format(R"h(<tr><td><i class="swatch" style="background:var(--k{})"></i>{}</td>)h",
                       kind.colour, escape_html(kind.kind));
    const auto cell = [](int64_t ns) {
      return fmt::format("<td>{}</td>", ns == 0 ? "–" : readable_seconds(static_cast<double>(ns) * 1e-9));
    };
    if (predicted) out += cell(kind.predicted_ns);
    if (measured) out += cell(kind.measured_ns);
    if (predicted && measured)
      out += fmt::format("<td>{}</td>", kind.measured_ns == 0 || kind.predicted_ns == 0
                                            ? "–"
                                            : readable_difference(static_cast<double>(kind.predicted_ns),
                                                                  static_cast<double>(kind.measured_ns)));
    out += "</tr>\n";
  }
  return out + "</tbody></table>\n";
}

}  // namespace

std::vector<TimelineLane> lanes_of(const ReportInput& input) {
  std::vector<TimelineLane> lanes;
  for (const auto* spans : {&input.predicted_timeline, &input.measured_timeline})
    for (const TimelineSpan& span : *spans)
      if (std::none_of(lanes.begin(), lanes.end(), [&](const TimelineLane& lane) {
            return lane.rank == span.rank && lane.queue == span.queue;
          }))
        lanes.push_back({span.rank, span.queue});
  std::stable_sort(lanes.begin(), lanes.end(),
                   [](const TimelineLane& a, const TimelineLane& b) { return a.rank < b.rank; });
  return lanes;
}

int64_t end_of_timelines(const ReportInput& input) {
  return std::max(last_end(input.predicted_timeline), last_end(input.measured_timeline));
}

std::map<std::string, int> colours_by_kind(const ReportInput& input) {
  std::map<std::string, int> colours;
  for (const KindTime& kind : time_by_kind(input)) colours[kind.kind] = kind.colour;
  return colours;
}

std::vector<TimelineSpan> coalesce(std::span<const TimelineSpan> spans, size_t limit) {
  std::vector<TimelineSpan> sorted(spans.begin(), spans.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const TimelineSpan& a, const TimelineSpan& b) {
    return std::tie(a.rank, a.queue, a.start_ns) < std::tie(b.rank, b.queue, b.start_ns);
  });
  const int64_t end = last_end(sorted);
  std::vector<TimelineSpan> merged = sorted;
  for (int64_t extent = std::max<int64_t>(1, end / 20'000); merged.size() > limit && extent <= 2 * end;
       extent *= 2)
    merged = merge_within(sorted, extent);
  return merged;
}

std::string timeline_json(const ReportInput& input) {
  using Rows = std::array<std::string, 2>;  // predicted, measured: numbers separated by commas
  std::map<std::pair<int32_t, std::string>, Rows> rows;
  TextNumbers kinds, names;
  std::string kind_list, name_list, lane_list;
  for (const KindTime& kind : time_by_kind(input)) {
    kinds.of(kind.kind);  // its number is its place in the list
    kind_list += fmt::format("{}[{},{}]", kind_list.empty() ? "" : ",", json_string(kind.kind), kind.colour);
  }
  const std::vector<TimelineSpan>* timelines[] = {&input.predicted_timeline, &input.measured_timeline};
  for (size_t which = 0; which < 2; ++which)
    for (const TimelineSpan& span : coalesce(*timelines[which], kSpanLimit)) {
      std::string& row = rows[{span.rank, span.queue}][which];
      row += fmt::format("{}{},{},{},{}", row.empty() ? "" : ",", span.start_ns, span.duration_ns,
                         names.of(span.name), kinds.of(span.kind));
    }
  for (const std::string& name : names.list())
    name_list += (name_list.empty() ? "" : ",") + json_string(name);
  for (const TimelineLane& lane : lanes_of(input)) {
    const Rows& both = rows[{lane.rank, lane.queue}];
    lane_list +=
        fmt::format(R"({}{{"rank":{},"queue":{},"predicted":[{}],"measured":[{}]}})",
                    lane_list.empty() ? "" : ",\n", lane.rank, json_string(lane.queue), both[0], both[1]);
  }
  return fmt::format(R"({{"end":{},"kinds":[{}],"names":[{}],"lanes":[{}]}})", end_of_timelines(input),
                     kind_list, name_list, lane_list);
}

std::string timeline_html(const ReportInput& input) {
  if (input.predicted_timeline.empty() && input.measured_timeline.empty()) return "";
  return fmt::format(R"(<figure class="timeline"><figcaption><b>One step</b>
<span>drag to zoom in, Ctrl and wheel to zoom, double click for the whole step</span>
<span class="buttons"><button data-zoom="2" title="zoom in">+</button><button data-zoom="0.5" title="zoom out">−</button><button data-zoom="0">whole step</button></span></figcaption>
<div class="lanes"><div class="names"></div><div class="canvas" tabindex="0"><canvas></canvas><div class="selection"></div></div></div>
<noscript>{}</noscript>
<script type="application/json">{}</script></figure>
{})",
                     timeline_svg(input), timeline_json(input), kind_table(input));
}

}  // namespace pleat::train
