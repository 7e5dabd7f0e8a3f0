// SPDX-License-Identifier: Apache-2.0
// counts[e] = the pairs (t,k) with indices[t,k] = e; rows[t,k] = start(e) + the earlier ones of them in
// row-major order, where each expert starts at the next multiple of `tile`.
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> route(const Signature& signature) {
  const int64_t tile = signature.attributes.integer("tile");
  return kernel(signature, [tile](const Operands& operands) {
    const View& indices = operands.in[0];
    const Result &rows = operands.out[0], &counts = operands.out[1];
    const int64_t E = counts.columns();
    int64_t start = 0, placed = 0;
    for (int64_t e = 0; e < E; ++e) {
      int64_t row = start;
      for (int64_t t = 0; t < indices.rows(); ++t)
        for (int64_t k = 0; k < indices.columns(); ++k)
          if (indices.integer(t, k) == e) rows.put(t, k, static_cast<double>(row++));
      counts.put(0, e, static_cast<double>(row - start));
      placed += row - start;
      start += (row - start + tile - 1) / tile * tile;
    }
    if (placed != indices.rows() * indices.columns())
      base::fail<base::CheckError>("route: {} of {} indices are outside the experts, [0, {})",
                                   indices.rows() * indices.columns() - placed,
                                   indices.rows() * indices.columns(), E);
  });
}

}  // namespace pleat::kernels::ref
