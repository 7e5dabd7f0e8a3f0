// SPDX-License-Identifier: Apache-2.0
// How often this program has allocated: all its threads together.
#pragma once
#include <cstdint>

namespace pleat::run {

int64_t allocations_so_far();

}  // namespace pleat::run
