// SPDX-License-Identifier: Apache-2.0
// Rates read off this machine: one product's, and all that a Target holds, for predictions of its own runs.
#pragma once
#include <memory>

#include "graph/signature.h"
#include "kernels/kernel.h"
#include "target/catalogue.h"
#include "tensor/arena.h"
#include "train/host.h"

namespace pleat::train {

struct ProductSize {
  int64_t m, n, k;
};

/// The catalogue's y [m,n] = a [m,k] b [n,k]^T with a team of `threads`, bound and ready to be timed.
class ProductTimer {
 public:
  /// `host` outlives the timer.
  ProductTimer(const Host& host, base::DType dtype, const ProductSize& size, int threads);
  /// Flops per second: the best call of a few.
  double best_rate();
  /// Flops per second over `seconds`, and over one call at least.
  double mean_rate(double seconds);

 private:
  void multiply();
  const Host& host_;
  double flops_;
  graph::Signature signature_;
  target::Choice choice_;
  std::unique_ptr<kernels::Kernel> kernel_;
  tensor::Arena arena_;  // operands, result, workspace; its pattern is a small finite number
  kernels::Team team_;
};

/// In a tenth of a second. Product rates of one core through the catalogue's own kernels, copy rates of one
/// core and of all.
target::Target measure_target(const Host& host);

}  // namespace pleat::train
