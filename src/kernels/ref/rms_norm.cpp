// SPDX-License-Identifier: Apache-2.0
// Forward:  rstd = 1 / sqrt(mean(x^2) + eps), y = x rstd w, over the last dim of x [T,..,N].
// Backward: xh = x rstd, g = dy w, dx = rstd (g - xh mean(g xh)), dw = sum over all rows of dy xh.
#include <cmath>

#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> rms_norm(const Signature& signature) {
  const double eps = signature.attributes.number("eps");
  return kernel(signature, [eps](const Operands& operands) {
    const View &x = operands.in[0], &w = operands.in[1];
    const Result &y = operands.out[0], &rstd = operands.out[1];
    const int64_t N = w.rows();
    for (int64_t t = 0; t < x.rows(); ++t)
      for (int64_t h = 0; h < x.columns() / N; ++h) {
        double sum = 0;
        for (int64_t n = 0; n < N; ++n) sum += x.get(t, h * N + n) * x.get(t, h * N + n);
        const double r = 1 / std::sqrt(sum / static_cast<double>(N) + eps);
        rstd.put(t, h, r);
        for (int64_t n = 0; n < N; ++n) y.put(t, h * N + n, x.get(t, h * N + n) * r * w.get(n));
      }
  });
}

std::unique_ptr<Kernel> rms_norm_grad(const Signature& signature) {
  return kernel(signature, [](const Operands& operands) {
    const View &x = operands.in[0], &w = operands.in[1], &rstd = operands.in[2], &dy = operands.in[3];
    const Result &dx = operands.out[0], &dw = operands.out[1];
    const int64_t N = w.rows(), H = x.columns() / N;
    for (int64_t t = 0; t < x.rows(); ++t)
      for (int64_t h = 0; h < H; ++h) {
        const double r = rstd.get(t, h);
        double dot = 0;
        for (int64_t n = 0; n < N; ++n) dot += dy.get(t, h * N + n) * w.get(n) * x.get(t, h * N + n) * r;
        for (int64_t n = 0; n < N; ++n) {
          const double g = dy.get(t, h * N + n) * w.get(n), xh = x.get(t, h * N + n) * r;
          dx.put(t, h * N + n, r * (g - xh * dot / static_cast<double>(N)));
        }
      }
    for (int64_t n = 0; n < N; ++n) {
      double sum = 0;
      for (int64_t t = 0; t < x.rows(); ++t)
        for (int64_t h = 0; h < H; ++h) sum += dy.get(t, h * N + n) * x.get(t, h * N + n) * rstd.get(t, h);
      dw.put(n, sum);
    }
  });
}

}  // namespace pleat::kernels::ref
