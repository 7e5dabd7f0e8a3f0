// SPDX-License-Identifier: Apache-2.0
// The step's timeline: the spans as data for the page's canvas, and a table of where the time goes.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "train/report.h"

namespace pleat::train {

/// At most `limit` spans that look the same: neighbours on a queue that together are shorter than a fraction
/// of the step become one, named after its longest part. Sorted by rank, queue and start.
std::vector<TimelineSpan> coalesce(std::span<const TimelineSpan> spans, size_t limit);

struct TimelineLane {
  int32_t rank = 0;
  std::string queue{};
};
/// By rank, and within a rank by the first appearance of the queue, so that its own order (compute first)
/// stays.
std::vector<TimelineLane> lanes_of(const ReportInput& input);

/// Where a step ends on the axis that both timelines share.
int64_t end_of_timelines(const ReportInput& input);

/// The number of each kind's colour: the largest have one of their own.
std::map<std::string, int> colours_by_kind(const ReportInput& input);

/// {"end":ns, "kinds":[[name, colour]...], "names":[...],
///  "lanes":[{"rank":0, "queue":"compute", "predicted":[start,duration,name,kind, ...],
///  "measured":[...]}...]}
std::string timeline_json(const ReportInput& input);

/// A still picture, for readers without scripts.
std::string timeline_svg(const ReportInput& input);

/// Canvas, data, still picture and table; "" when there is no span.
std::string timeline_html(const ReportInput& input);

}  // namespace pleat::train
