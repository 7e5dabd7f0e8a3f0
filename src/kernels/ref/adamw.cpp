// SPDX-License-Identifier: Apache-2.0
// Unless guard is 0, with g = factor gradient and the 1-based step s:
// m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, mh = m / (1 - beta1^s), vh = v / (1 - beta2^s),
// master -= lr (mh / (sqrt(vh) + eps) + weight_decay master). mh and vh are of m and v as stored.
#include <cmath>

#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> adamw(const Signature& signature) {
  const double beta1 = signature.attributes.number("beta1"), beta2 = signature.attributes.number("beta2");
  const double eps = signature.attributes.number("eps"), decay = signature.attributes.number("weight_decay");
  return kernel(signature, [=](const Operands& operands) {
    const View &gradient = operands.in[0], &factor = operands.in[1], &guard = operands.in[2];
    const View& scalars = operands.in[3];
    const Result &master = operands.out[0], &m = operands.out[1], &v = operands.out[2];
    if (guard.integer(0) == 0) return;
    const double lr = scalars.get(0), step = scalars.get(1);
    const double correct1 = 1 - std::pow(beta1, step), correct2 = 1 - std::pow(beta2, step);
    for (int64_t i = 0; i < gradient.rows(); ++i) {
      const double g = factor.get(0) * gradient.get(i);
      m.put(i, beta1 * m.get(i) + (1 - beta1) * g);
      v.put(i, beta2 * v.get(i) + (1 - beta2) * g * g);
      const double move = m.get(i) / correct1 / (std::sqrt(v.get(i) / correct2) + eps);
      master.put(i, master.get(i) - lr * (move + decay * master.get(i)));
    }
  });
}

}  // namespace pleat::kernels::ref
