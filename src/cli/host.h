// SPDX-License-Identifier: Apache-2.0
// The facts of this process and machine that the library is given and never looks up.
#pragma once
#include <cstdio>

#include "train/host.h"

namespace pleat::cli {

/// Monotonic seconds.
double clock_seconds();
/// Processors that this process may use, at least 1.
int cores();
/// `words`: where say() writes.
train::Host host(std::FILE* words);

}  // namespace pleat::cli
