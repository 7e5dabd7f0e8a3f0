// SPDX-License-Identifier: Apache-2.0
// norm = sqrt(sum of squares, in order); factor = min(1, max_norm / (norm + 1e-6)), 1 when max_norm is 0;
// guard = 1 if norm is finite, else 0.
#include <algorithm>
#include <cmath>

#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> clip(const Signature& signature) {
  const double max_norm = signature.attributes.number("max_norm");
  return kernel(signature, [max_norm](const Operands& operands) {
    const View& squares = operands.in[0];
    double sum = 0;
    for (int64_t i = 0; i < squares.rows(); ++i) sum += squares.get(i);
    const double norm = std::sqrt(sum);
    operands.out[0].put(0, norm);
    operands.out[1].put(0, max_norm == 0 ? 1 : std::min(1.0, max_norm / (norm + 1e-6)));
    operands.out[2].put(0, std::isfinite(norm) ? 1 : 0);
  });
}

}  // namespace pleat::kernels::ref
