// SPDX-License-Identifier: Apache-2.0
// Forward:  y[t] = table[ids[t]].
// Backward: dtable[v] = sum over t with ids[t] = v of dy[t], in order of t.
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

std::unique_ptr<Kernel> embedding(const Signature& signature) {
  return kernel(signature, [](const Operands& operands) {
    const View &table = operands.in[0], &ids = operands.in[1];
    const Result& y = operands.out[0];
    for (int64_t t = 0; t < y.rows(); ++t) {
      const int64_t id = ids.integer(t);
      if (id < 0 || id >= table.rows())
        base::fail<base::CheckError>("embedding: id {} of token {} is outside the vocabulary, [0, {})", id, t,
                                     table.rows());
      for (int64_t d = 0; d < y.columns(); ++d) y.put(t, d, table.get(id, d));
    }
  });
}

std::unique_ptr<Kernel> embedding_grad(const Signature& signature) {
  return kernel(signature, [](const Operands& operands) {
    const View &ids = operands.in[0], &dy = operands.in[1];
    const Result& dtable = operands.out[0];
    const int64_t T = dy.rows();
    for (int64_t v = 0; v < dtable.rows(); ++v) {
      int64_t first = 0;
      while (first < T && ids.integer(first) != v) ++first;  // most of a vocabulary does not occur
      for (int64_t d = 0; d < dtable.columns(); ++d) {
        double sum = 0;
        for (int64_t t = first; t < T; ++t)
          if (ids.integer(t) == v) sum += dy.get(t, d);
        dtable.put(v, d, sum);
      }
    }
  });
}

}  // namespace pleat::kernels::ref
