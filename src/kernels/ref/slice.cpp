// SPDX-License-Identifier: Apache-2.0
// y = part `index` of x, cut in `parts` equal ones along `dim`.
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> slice(const Signature& signature) {
  const int dim = static_cast<int>(signature.attributes.integer("dim"));
  const int64_t index = signature.attributes.integer("index");
  return kernel(signature, [dim, index](const Operands& operands) {
    const View& x = operands.in[0];
    const Result& y = operands.out[0];
    const int64_t first_row = dim == 0 ? index * y.rows() : 0;
    int64_t block = y.columns();  // columns of y that lie together in x
    for (int d = 1; d < dim; ++d) block /= y.shape()[d];
    const int64_t step = dim == 0 ? block : block * x.shape()[dim] / y.shape()[dim];
    const int64_t first_column = dim == 0 ? 0 : index * block;
    for (int64_t r = 0; r < y.rows(); ++r)
      for (int64_t c = 0; c < y.columns(); ++c)
        y.put(r, c, x.get(first_row + r, c / block * step + first_column + c % block));
  });
}

}  // namespace pleat::kernels::ref
