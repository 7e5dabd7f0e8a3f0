// SPDX-License-Identifier: Apache-2.0
// Forward:  y = silu(gate) up, silu(a) = a sigmoid(a); x holds gate, then up. With counts only expert rows.
// Backward: dgate = dy up s (1 + gate (1 - s)), dup = dy gate s, s = sigmoid(gate).
#include <cmath>

#include "kernels/ref/expert_rows.h"
#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

namespace {

/// body(row) for the rows of every expert, or for all rows where there are no counts.
template <class Body>
void for_each_row(const View* counts, int64_t tile, int64_t rows, Body body) {
  const auto range = [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) body(r);
  };
  if (counts == nullptr) return range(0, 0, rows);
  for_each_expert(*counts, tile, rows, range);
}

double sigmoid(double a) {
  return 1 / (1 + std::exp(-a));
}

}  // namespace

std::unique_ptr<Kernel> swiglu(const Signature& signature) {
  const bool ragged = signature.reads.size() > 1;
  const int64_t tile = signature.attributes.integer_or("tile", 1);
  return kernel(signature, [ragged, tile](const Operands& operands) {
    const View& x = operands.in[0];
    const Result& y = operands.out[0];
    const int64_t F = y.columns();
    for_each_row(ragged ? &operands.in[1] : nullptr, tile, x.rows(), [&](int64_t r) {
      for (int64_t f = 0; f < F; ++f) {
        const double gate = x.get(r, f), up = x.get(r, F + f);
        y.put(r, f, gate * sigmoid(gate) * up);
      }
    });
  });
}

std::unique_ptr<Kernel> swiglu_grad(const Signature& signature) {
  const bool ragged = signature.reads.size() > 2;
  const int64_t tile = signature.attributes.integer_or("tile", 1);
  return kernel(signature, [ragged, tile](const Operands& operands) {
    const View &x = operands.in[0], &dy = operands.in[1];
    const Result& dx = operands.out[0];
    const int64_t F = dy.columns();
    for_each_row(ragged ? &operands.in[2] : nullptr, tile, x.rows(), [&](int64_t r) {
      for (int64_t f = 0; f < F; ++f) {
        const double gate = x.get(r, f), up = x.get(r, F + f), s = sigmoid(gate);
        dx.put(r, f, dy.get(r, f) * up * s * (1 + gate * (1 - s)));
        dx.put(r, F + f, dy.get(r, f) * gate * s);
      }
    });
  });
}

}  // namespace pleat::kernels::ref
