// SPDX-License-Identifier: Apache-2.0
// Forward:  out[t] = sum over k of weights[t,k] y[rows[t,k]], in order of k.
// Backward: dy[rows[t,k]] = weights[t,k] dout[t], dweights[t,k] = dout[t] . y[rows[t,k]].
// A row at or beyond y's bound counts as zeros.
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> combine(const Signature& signature) {
  return kernel(signature, [](const Operands& operands) {
    const View &y = operands.in[0], &rows = operands.in[1], &weights = operands.in[2];
    const Result& out = operands.out[0];
    for (int64_t t = 0; t < out.rows(); ++t)
      for (int64_t d = 0; d < out.columns(); ++d) {
        double sum = 0;
        for (int64_t k = 0; k < rows.columns(); ++k)
          if (rows.integer(t, k) < y.rows()) sum += weights.get(t, k) * y.get(rows.integer(t, k), d);
        out.put(t, d, sum);
      }
  });
}

std::unique_ptr<Kernel> combine_grad(const Signature& signature) {
  return kernel(signature, [](const Operands& operands) {
    const View &y = operands.in[0], &rows = operands.in[1], &weights = operands.in[2], &dout = operands.in[3];
    const Result &dy = operands.out[0], &dweights = operands.out[1];
    for (int64_t t = 0; t < rows.rows(); ++t)
      for (int64_t k = 0; k < rows.columns(); ++k) {
        const int64_t row = rows.integer(t, k);
        double dot = 0;
        for (int64_t d = 0; row < y.rows() && d < y.columns(); ++d) {
          dy.put(row, d, weights.get(t, k) * dout.get(t, d));
          dot += dout.get(t, d) * y.get(row, d);
        }
        dweights.put(t, k, dot);
      }
  });
}

}  // namespace pleat::kernels::ref
