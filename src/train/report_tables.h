// SPDX-License-Identifier: Apache-2.0
// The parts of the report that are numbers and text: tiles, bars, tables, samples, facts. Each is "" without
// input.
#pragma once
#include <optional>
#include <string>

#include "train/report.h"

namespace pleat::train {

/// Said by the input, else the median of its metrics.
std::optional<double> step_seconds(const ReportInput& input);

std::string tiles_html(const ReportInput& input);
std::string bits_per_byte_html(const ReportInput& input);
std::string step_time_html(const ReportInput& input);
std::string memory_html(const ReportInput& input);
std::string samples_html(const ReportInput& input);
std::string facts_html(const ReportInput& input);

}  // namespace pleat::train
