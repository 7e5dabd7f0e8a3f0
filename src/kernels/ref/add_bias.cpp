// SPDX-License-Identifier: Apache-2.0
// y[t] = x[t] + b. Its backward is column_sum.
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> add_bias(const Signature& signature) {
  return kernel(signature, [](const Operands& operands) {
    const View &x = operands.in[0], &b = operands.in[1];
    const Result& y = operands.out[0];
    for (int64_t t = 0; t < y.rows(); ++t)
      for (int64_t n = 0; n < y.columns(); ++n) y.put(t, n, x.get(t, n) + b.get(n));
  });
}

}  // namespace pleat::kernels::ref
