// SPDX-License-Identifier: Apache-2.0
// s[i] = sum of the squares of equal part i of g, in double.
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> sum_squares(const Signature& signature) {
  return kernel(signature, [](const Operands& operands) {
    const View& g = operands.in[0];
    const Result& s = operands.out[0];
    const int64_t part = g.rows() / s.rows();
    for (int64_t i = 0; i < s.rows(); ++i) {
      double sum = 0;
      for (int64_t n = i * part; n < (i + 1) * part; ++n) sum += g.get(n) * g.get(n);
      s.put(i, sum);
    }
  });
}

}  // namespace pleat::kernels::ref
