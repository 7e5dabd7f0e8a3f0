// SPDX-License-Identifier: Apache-2.0
// y = 0.
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> zero(const Signature& signature) {
  return kernel(signature, [](const Operands& operands) {
    const Result& y = operands.out[0];
    for (int64_t r = 0; r < y.rows(); ++r)
      for (int64_t c = 0; c < y.columns(); ++c) y.put(r, c, 0);
  });
}

}  // namespace pleat::kernels::ref
