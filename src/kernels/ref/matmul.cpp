// SPDX-License-Identifier: Apache-2.0
// y[m,n] = sum over k of op(a)[m,k] op(b)[k,n], op transposing where its flag says so.
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> matmul(const Signature& signature) {
  const bool transpose_a = signature.attributes.integer("transpose_a") != 0;
  const bool transpose_b = signature.attributes.integer("transpose_b") != 0;
  return kernel(signature, [transpose_a, transpose_b](const Operands& operands) {
    const View &a = operands.in[0], &b = operands.in[1];
    const Result& y = operands.out[0];
    const int64_t K = transpose_a ? a.rows() : a.columns();
    for (int64_t m = 0; m < y.rows(); ++m)
      for (int64_t n = 0; n < y.columns(); ++n) {
        double sum = 0;
        for (int64_t k = 0; k < K; ++k)
          sum += (transpose_a ? a.get(k, m) : a.get(m, k)) * (transpose_b ? b.get(n, k) : b.get(k, n));
        y.put(m, n, sum);
      }
  });
}

}  // namespace pleat::kernels::ref
