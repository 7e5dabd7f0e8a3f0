// SPDX-License-Identifier: Apache-2.0
// Numbers with their unit, for people.
#pragma once
#include <string>
#include <string_view>

namespace pleat::cli {

/// 1.2e11, "flop" -> "120 Gflop"; 12, "flop" -> "12 flop".
std::string amount(double quantity, std::string_view unit);

}  // namespace pleat::cli
