// SPDX-License-Identifier: Apache-2.0
// y = factor x.
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> scale(const Signature& signature) {
  const double factor = signature.attributes.number("factor");
  return kernel(signature, [factor](const Operands& operands) {
    const View& x = operands.in[0];
    const Result& y = operands.out[0];
    for (int64_t r = 0; r < y.rows(); ++r)
      for (int64_t c = 0; c < y.columns(); ++c) y.put(r, c, factor * x.get(r, c));
  });
}

}  // namespace pleat::kernels::ref
