// SPDX-License-Identifier: Apache-2.0
// Rotates the two halves of each head: y1 = x1 cos - x2 sin, y2 = x2 cos + x1 sin, with the row of
// `positions[t]` of the table (cos, sin). inverse: sin -> -sin, which is the backward.
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> rope(const Signature& signature) {
  const double sign = signature.attributes.integer("inverse") != 0 ? -1 : 1;
  return kernel(signature, [sign](const Operands& operands) {
    const View &x = operands.in[0], &positions = operands.in[1], &table = operands.in[2];
    const Result& y = operands.out[0];
    const int64_t N = table.columns(), half = N / 2;
    for (int64_t t = 0; t < x.rows(); ++t) {
      const int64_t s = positions.integer(t);
      if (s < 0 || s >= table.rows())
        base::fail<base::CheckError>("rope: position {} of token {} is outside the table, [0, {})", s, t,
                                     table.rows());
      for (int64_t first = 0; first < x.columns(); first += N)
        for (int64_t i = 0; i < half; ++i) {
          const double cos = table.get(s, i), sin = sign * table.get(s, half + i);
          const double x1 = x.get(t, first + i), x2 = x.get(t, first + half + i);
          y.put(t, first + i, x1 * cos - x2 * sin);
          y.put(t, first + half + i, x2 * cos + x1 * sin);
        }
    }
  });
}

}  // namespace pleat::kernels::ref
