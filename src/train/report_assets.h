// SPDX-License-Identifier: Apache-2.0
// What every report carries unchanged.
#pragma once
#include <string_view>

namespace pleat::train {

extern const std::string_view kReportStyle;   // CSS
extern const std::string_view kReportScript;  // JavaScript

}  // namespace pleat::train
