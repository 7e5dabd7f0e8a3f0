// SPDX-License-Identifier: Apache-2.0
#include "verify/verify.h"

#include "base/errors.h"
#include "verify/properties.h"

namespace pleat::verify {
namespace {

constexpr std::string_view kWellFormed = "well-formed";

Peak peak_of(const Program& program, const RankList& list) {
  return {list.stage, list.area_bytes, program.arena_bytes(list), program.allowance};
}

bool names_buffers(const Program& program) {
  for (const Segment& segment : program.segments)
    for (const Instruction& instruction : segment.instructions)
      for (const Effect& effect : program::effects(instruction))
        if (effect.region.buffer < 0) return false;
  return true;
}

/// What only holds while running, and what these lists do not say.
std::vector<std::string> assertions(const Program& program) {
  std::vector<std::string> asserted{
      "rows sent to experts = rows received, within their buffers (run: exchange, kernels clamp and refuse)",
      "the gradient's norm is finite (run: guard, updates nothing otherwise)",
      "token and target ids lie in the vocabulary (kernels refuse, naming the id)",
      "the sums over stages of the norm's vector have one summand that is not zero (compile: reductions)",
      "kernels touch what their instruction names and nothing else (tests: poisoned arena, ThreadSanitizer)"};
  if (static_cast<int64_t>(program.lists.size()) < program.layout.stages())
    asserted.push_back(
        fmt::format("channels, progress and placements between stages: {} of {} stages have a list here",
                    program.lists.size(), program.layout.stages()));
  if (!names_buffers(program))
    asserted.push_back(
        "buffers that share bytes of the scratch area: regions without a buffer's name are taken for what "
        "lies there");
  return asserted;
}

}  // namespace

Report verify(const Program& program, const Options& options) {
  Report report;
  const auto close = [&](Issues& issues) {
    if (issues.empty()) report.proved.push_back(issues.property());
    for (Issue& issue : issues.take()) report.issues.push_back(std::move(issue));
  };
  const auto named = [&](std::string_view property) {
    return Issues(std::string(property), options.issues_per_property);
  };
  Issues well_formed = named(kWellFormed);
  check_well_formed(program, well_formed);
  close(well_formed);
  if (!report.ok()) return report;
  for (const RankList& list : program.lists) report.peaks.push_back(peak_of(program, list));
  report.asserted = assertions(program);

  FlatLists lists;
  for (const RankList& list : program.lists) lists.push_back(flatten(program, list));
  Issues versions = named("versions"), lifetimes = named("lifetimes"), order = named("order");
  for (const FlatList& list : lists) {
    check_versions(list, options, versions, lifetimes);
    check_order(list, options, order);
  }
  close(versions), close(lifetimes), close(order);
  const auto whole_program = [&](std::string_view property, auto check) {
    Issues issues = named(property);
    check(issues);
    close(issues);
  };
  whole_program("channels", [&](Issues& issues) { check_channels(program, lists, issues); });
  whole_program("progress", [&](Issues& issues) { check_progress(program, lists, options, issues); });
  whole_program("placements", [&](Issues& issues) { check_placements(program, lists, issues); });
  whole_program("contributions", [&](Issues& issues) { check_contributions(program, lists, issues); });
  return report;
}

std::string to_text(const Report& report) {
  std::string text = fmt::format(
      "proved: {}\n", report.proved.empty() ? "nothing" : fmt::format("{}", fmt::join(report.proved, ", ")));
  for (const std::string& asserted : report.asserted)
    text += fmt::format("asserted while running: {}\n", asserted);
  for (const Peak& peak : report.peaks) {
    text += fmt::format("peak of a rank of stage {}: {} bytes =", peak.stage, peak.total());
    for (int area = 0; area < kAreas; ++area)
      text += fmt::format(" {} {} +", program::kAreaNames[static_cast<size_t>(area)],
                          program::aligned(peak.areas[static_cast<size_t>(area)]));
    text += fmt::format(" libraries {}\n", peak.allowance);
  }
  for (const Issue& issue : report.issues) text += fmt::format("{}: {}\n", issue.property, issue.text);
  return text;
}

}  // namespace pleat::verify
