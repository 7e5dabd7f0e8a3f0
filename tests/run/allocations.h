// SPDX-License-Identifier: Apache-2.0
// How often anybody in this program has allocated: all threads together, by who called.
#pragma once
#include <cstdint>

namespace pleat::run {

struct Allocations {
  int64_t ours = 0;
  int64_t matrix_library = 0;  // from inside libdnnl
};
Allocations allocations_so_far();

}  // namespace pleat::run
