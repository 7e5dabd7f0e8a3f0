// SPDX-License-Identifier: Apache-2.0
// s = sum over t of x[t], in double.
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> token_sum(const Signature& signature) {
  return kernel(signature, [](const Operands& operands) {
    const View& x = operands.in[0];
    double sum = 0;
    for (int64_t t = 0; t < x.rows(); ++t) sum += x.get(t);
    operands.out[0].put(0, sum);
  });
}

}  // namespace pleat::kernels::ref
