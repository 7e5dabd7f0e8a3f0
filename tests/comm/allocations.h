// SPDX-License-Identifier: Apache-2.0
// How often the calling thread has allocated since it started.
#pragma once
#include <cstdint>

namespace pleat::comm {
int64_t allocations_of_this_thread();
}  // namespace pleat::comm
