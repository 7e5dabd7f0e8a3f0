// SPDX-License-Identifier: Apache-2.0
// s[n] = sum over t of x[t,n].
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> column_sum(const Signature& signature) {
  return kernel(signature, [](const Operands& operands) {
    const View& x = operands.in[0];
    const Result& s = operands.out[0];
    for (int64_t n = 0; n < x.columns(); ++n) {
      double sum = 0;
      for (int64_t t = 0; t < x.rows(); ++t) sum += x.get(t, n);
      s.put(n, sum);
    }
  });
}

}  // namespace pleat::kernels::ref
