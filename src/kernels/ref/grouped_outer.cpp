// SPDX-License-Identifier: Apache-2.0
// dw[e,n,k] = sum over the rows r of expert e of dy[r,n] x[r,k]; zero for an expert without rows.
#include "kernels/ref/expert_rows.h"
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> grouped_outer(const Signature& signature) {
  const int64_t tile = signature.attributes.integer("tile");
  return kernel(signature, [tile](const Operands& operands) {
    const View &dy = operands.in[0], &x = operands.in[1], &counts = operands.in[2];
    const Result& dw = operands.out[0];
    const int64_t N = dy.columns(), K = x.columns();
    for_each_expert(counts, tile, x.rows(), [&](int64_t e, int64_t begin, int64_t end) {
      for (int64_t n = 0; n < N; ++n)
        for (int64_t k = 0; k < K; ++k) {
          double sum = 0;
          for (int64_t r = begin; r < end; ++r) sum += dy.get(r, n) * x.get(r, k);
          dw.put(e, n * K + k, sum);
        }
    });
  });
}

}  // namespace pleat::kernels::ref
