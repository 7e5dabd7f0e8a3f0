// SPDX-License-Identifier: Apache-2.0
// What this machine multiplies at best: the yardstick of a step's model FLOPs utilisation.
#pragma once
#include "base/dtype.h"

namespace pleat::cli {

inline constexpr int64_t kBenchM = 2048, kBenchK = 3072, kBenchN = 768;

/// Flops per second of the catalogue's product at that shape with a team of `threads`: the best call of
/// `seconds`.
double best_product_rate(base::DType dtype, int threads, double seconds);

}  // namespace pleat::cli
