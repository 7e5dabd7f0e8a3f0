// SPDX-License-Identifier: Apache-2.0
// Forward:  loss[g] = E sum over e of (counts[g,e] / rows) (sums[g,e] / rows): Hugging Face's
// load_balancing_loss_func. Backward: dsums[g,e] = dloss[g] E counts[g,e] / rows^2.
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> balance_loss(const Signature& signature) {
  const double rows = static_cast<double>(signature.attributes.integer("rows"));
  return kernel(signature, [rows](const Operands& operands) {
    const View &counts = operands.in[0], &sums = operands.in[1];
    for (int64_t g = 0; g < counts.rows(); ++g) {
      double sum = 0;
      for (int64_t e = 0; e < counts.columns(); ++e) sum += counts.get(g, e) / rows * (sums.get(g, e) / rows);
      operands.out[0].put(g, static_cast<double>(counts.columns()) * sum);
    }
  });
}

std::unique_ptr<Kernel> balance_loss_grad(const Signature& signature) {
  const double rows = static_cast<double>(signature.attributes.integer("rows"));
  return kernel(signature, [rows](const Operands& operands) {
    const View &counts = operands.in[0], &dloss = operands.in[1];
    const double E = static_cast<double>(counts.columns());
    for (int64_t g = 0; g < counts.rows(); ++g)
      for (int64_t e = 0; e < counts.columns(); ++e)
        operands.out[0].put(g, e, dloss.get(g) * E * counts.get(g, e) / (rows * rows));
  });
}

}  // namespace pleat::kernels::ref
