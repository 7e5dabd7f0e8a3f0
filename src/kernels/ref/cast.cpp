// SPDX-License-Identifier: Apache-2.0
// y = x in y's dtype.
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> cast(const Signature& signature) {
  return kernel(signature, [](const Operands& operands) {
    const View& x = operands.in[0];
    const Result& y = operands.out[0];
    for (int64_t r = 0; r < y.rows(); ++r)
      for (int64_t c = 0; c < y.columns(); ++c) y.put(r, c, x.get(r, c));
  });
}

}  // namespace pleat::kernels::ref
