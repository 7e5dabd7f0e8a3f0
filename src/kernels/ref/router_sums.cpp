// SPDX-License-Identifier: Apache-2.0
// Forward:  per group g of T/G tokens: counts[e] = tokens that chose e, sums[e] = sum of probs[e], squares =
// sum of lse^2. Backward: dprobs[t] = dsums[g], dlse[t] = 2 lse[t] dsquares[g]; counts are whole numbers and
// pass nothing.
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> router_sums(const Signature& signature) {
  return kernel(signature, [](const Operands& operands) {
    const View &probs = operands.in[0], &indices = operands.in[1], &lse = operands.in[2];
    const Result &counts = operands.out[0], &sums = operands.out[1], &squares = operands.out[2];
    const int64_t per_group = probs.rows() / counts.rows();
    for (int64_t g = 0; g < counts.rows(); ++g) {
      const int64_t begin = g * per_group, end = begin + per_group;
      for (int64_t e = 0; e < probs.columns(); ++e) {
        double count = 0, sum = 0;
        for (int64_t t = begin; t < end; ++t) {
          for (int64_t k = 0; k < indices.columns(); ++k) count += indices.integer(t, k) == e ? 1 : 0;
          sum += probs.get(t, e);
        }
        counts.put(g, e, count);
        sums.put(g, e, sum);
      }
      double square = 0;
      for (int64_t t = begin; t < end; ++t) square += lse.get(t) * lse.get(t);
      squares.put(g, square);
    }
  });
}

std::unique_ptr<Kernel> router_sums_grad(const Signature& signature) {
  return kernel(signature, [](const Operands& operands) {
    const View &lse = operands.in[0], &dsums = operands.in[1], &dsquares = operands.in[2];
    const Result &dprobs = operands.out[0], &dlse = operands.out[1];
    const int64_t per_group = lse.rows() / dsums.rows();
    for (int64_t t = 0; t < lse.rows(); ++t) {
      const int64_t g = t / per_group;
      for (int64_t e = 0; e < dprobs.columns(); ++e) dprobs.put(t, e, dsums.get(g, e));
      dlse.put(t, 2 * lse.get(t) * dsquares.get(g));
    }
  });
}

}  // namespace pleat::kernels::ref
