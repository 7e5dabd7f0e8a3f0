// SPDX-License-Identifier: Apache-2.0
// permute:   y[rows[t,k]] = x[t]. unpermute, its backward: x[t] = sum over k of y[rows[t,k]], in order of k.
// A row at or beyond y's bound is left out.
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> permute(const Signature& signature) {
  return kernel(signature, [](const Operands& operands) {
    const View &x = operands.in[0], &rows = operands.in[1];
    const Result& y = operands.out[0];
    for (int64_t t = 0; t < rows.rows(); ++t)
      for (int64_t k = 0; k < rows.columns(); ++k) {
        if (rows.integer(t, k) >= y.rows()) continue;
        for (int64_t d = 0; d < x.columns(); ++d) y.put(rows.integer(t, k), d, x.get(t, d));
      }
  });
}

std::unique_ptr<Kernel> unpermute(const Signature& signature) {
  return kernel(signature, [](const Operands& operands) {
    const View &y = operands.in[0], &rows = operands.in[1];
    const Result& x = operands.out[0];
    for (int64_t t = 0; t < x.rows(); ++t)
      for (int64_t d = 0; d < x.columns(); ++d) {
        double sum = 0;
        for (int64_t k = 0; k < rows.columns(); ++k)
          if (rows.integer(t, k) < y.rows()) sum += y.get(rows.integer(t, k), d);
        x.put(t, d, sum);
      }
  });
}

}  // namespace pleat::kernels::ref
