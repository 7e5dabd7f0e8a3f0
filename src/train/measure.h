// SPDX-License-Identifier: Apache-2.0
// Rates read off this machine: one product's, and all that a Target holds, for predictions of its own runs.
#pragma once
#include "target/catalogue.h"
#include "train/host.h"

namespace pleat::train {

struct ProductSize {
  int64_t m, n, k;
};

/// Flops per second of the catalogue's y [m,n] = a [m,k] b [n,k]^T with a team of `threads`: the best call of
/// a few, and of `seconds`.
double product_rate(const Host& host, base::DType dtype, const ProductSize& size, int threads,
                    double seconds = 0);

/// In a tenth of a second. Product rates of one core through the catalogue's own kernels, copy rates of one
/// core and of all.
target::Target measure_target(const Host& host);

}  // namespace pleat::train
