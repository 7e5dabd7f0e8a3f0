// SPDX-License-Identifier: Apache-2.0
// The trace event format: complete events ("X") in microseconds, metadata ("M") with the names of ranks and
// queues.
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "simulate/simulate.h"

namespace pleat::simulate {

std::string trace_json(const Result& result) {
  using nlohmann::json;
  json events = json::array();
  std::set<std::pair<int32_t, program::Queue>> lines;
  for (const Span& span : result.spans) lines.emplace(span.rank, span.queue);
  const auto add_name = [&](const char* what, int32_t rank, int queue, const std::string& name) {
    events.push_back(
        {{"name", what}, {"ph", "M"}, {"pid", rank}, {"tid", queue}, {"args", {{"name", name}}}});
  };
  int32_t named = -1;
  for (const auto& [rank, queue] : lines) {
    if (rank != std::exchange(named, rank)) add_name("process_name", rank, 0, "rank " + std::to_string(rank));
    add_name("thread_name", rank, static_cast<int>(queue), std::string(program::name_of(queue)));
  }
  for (const Span& span : result.spans) {
    const Label& label = result.labels[span.label];
    json event{{"name", label.name},
               {"cat", label.kind},
               {"ph", "X"},
               {"pid", span.rank},
               {"tid", static_cast<int>(span.queue)},
               {"ts", static_cast<double>(span.start_ns) / 1000},
               {"dur", static_cast<double>(span.duration_ns) / 1000}};
    if (span.micro_batch >= 0) event["args"] = {{"micro-batch", span.micro_batch}};
    events.push_back(std::move(event));
  }
  return json{{"traceEvents", std::move(events)}, {"displayTimeUnit", "ns"}}.dump();
}

}  // namespace pleat::simulate
