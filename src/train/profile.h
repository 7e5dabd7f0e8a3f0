// SPDX-License-Identifier: Apache-2.0
// profile.json: what a run knows of itself only while it runs: facts of the job, the step as predicted and as
// recorded, memory. It stands beside metrics.jsonl, so that report.html can be made again at any time.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "train/report.h"

namespace pleat::train {

inline constexpr int64_t kProfileFormat = 1;
inline constexpr std::string_view kProfileFile = "profile.json";

/// Of a report's input: subtitle, facts, step times, timelines, memory.
std::string profile_text(const ReportInput& input);
/// Sets those members; DataError naming `where` for text that is no profile.
void parse_profile(std::string_view text, std::string_view where, ReportInput& input);

}  // namespace pleat::train
