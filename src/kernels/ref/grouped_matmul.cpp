// SPDX-License-Identifier: Apache-2.0
// For the rows r of expert e: y[r] = x[r] w[e]^T with w [E,N,K] (transpose_b), or x[r] w[e] with w [E,K,N].
#include "kernels/ref/expert_rows.h"
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> grouped_matmul(const Signature& signature) {
  const bool transpose = signature.attributes.integer("transpose_b") != 0;
  const int64_t tile = signature.attributes.integer("tile");
  return kernel(signature, [transpose, tile](const Operands& operands) {
    const View &x = operands.in[0], &w = operands.in[1], &counts = operands.in[2];
    const Result& y = operands.out[0];
    const int64_t K = x.columns(), N = y.columns();
    for_each_expert(counts, tile, y.rows(), [&](int64_t e, int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r)
        for (int64_t n = 0; n < N; ++n) {
          double sum = 0;
          for (int64_t k = 0; k < K; ++k) sum += x.get(r, k) * w.get(e, transpose ? n * K + k : k * N + n);
          y.put(r, n, sum);
        }
    });
  });
}

}  // namespace pleat::kernels::ref
