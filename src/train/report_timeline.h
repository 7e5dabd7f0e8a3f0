// SPDX-License-Identifier: Apache-2.0
// The step's timeline: the spans as data for the page's canvas, and a table of where the time goes.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "train/report.h"

namespace pleat::train {

/// At most `limit` spans that look the same: neighbours on a queue that together are shorter than a fraction
/// of the step become one, named after its longest part. Sorted by rank, queue and start.
std::vector<TimelineSpan> coalesce(std::span<const TimelineSpan> spans, size_t limit);

/// {"end":ns, "kinds":[[name, colour]...], "names":[...],
///  "lanes":[{"rank":0, "queue":"compute", "predicted":[start,duration,name,kind, ...],
///  "measured":[...]}...]}
std::string timeline_json(const ReportInput& input);

/// Canvas, data and table; "" when there is no span.
std::string timeline_html(const ReportInput& input);

}  // namespace pleat::train
