// SPDX-License-Identifier: Apache-2.0
// mine[p,e] = all[p, index El + e]: what every source sends to the experts of this rank.
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> expert_counts(const Signature& signature) {
  const int64_t index = signature.attributes.integer("index");
  return kernel(signature, [index](const Operands& operands) {
    const View& all = operands.in[0];
    const Result& mine = operands.out[0];
    for (int64_t p = 0; p < mine.rows(); ++p)
      for (int64_t e = 0; e < mine.columns(); ++e)
        mine.put(p, e, static_cast<double>(all.integer(p, index * mine.columns() + e)));
  });
}

}  // namespace pleat::kernels::ref
