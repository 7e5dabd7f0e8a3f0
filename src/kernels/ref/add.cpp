// SPDX-License-Identifier: Apache-2.0
// y = a + b.
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> add(const Signature& signature) {
  return kernel(signature, [](const Operands& operands) {
    const View &a = operands.in[0], &b = operands.in[1];
    const Result& y = operands.out[0];
    for (int64_t r = 0; r < y.rows(); ++r)
      for (int64_t c = 0; c < y.columns(); ++c) y.put(r, c, a.get(r, c) + b.get(r, c));
  });
}

}  // namespace pleat::kernels::ref
