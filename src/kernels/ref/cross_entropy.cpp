// SPDX-License-Identifier: Apache-2.0
// Forward:  lse = log sum exp logits, loss = weight (lse - logits[target]); weight 0 gives exactly 0, target
// unread. Backward: dlogits = dloss weight (softmax - onehot(target)), softmax = exp(logits - lse); weight 0
// gives exactly 0.
#include <cmath>

#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

namespace {

int64_t checked_target(const Signature& signature, const View& targets, int64_t t, int64_t vocabulary) {
  const int64_t target = targets.integer(t);
  if (target < 0 || target >= vocabulary)
    base::fail<base::CheckError>("{}: target {} of token {} is outside the vocabulary, [0, {})",
                                 name_of(signature.op), target, t, vocabulary);
  return target;
}

}  // namespace

std::unique_ptr<Kernel> cross_entropy(const Signature& signature) {
  return kernel(signature, [signature](const Operands& operands) {
    const View &logits = operands.in[0], &targets = operands.in[1], &weights = operands.in[2];
    const Result &loss = operands.out[0], &lse = operands.out[1];
    const int64_t V = logits.columns();
    for (int64_t t = 0; t < logits.rows(); ++t) {
      double largest = -HUGE_VAL, sum = 0;
      for (int64_t v = 0; v < V; ++v) largest = std::fmax(largest, logits.get(t, v));
      for (int64_t v = 0; v < V; ++v) sum += std::exp(logits.get(t, v) - largest);
      const double normaliser = largest + std::log(sum), weight = weights.get(t);
      lse.put(t, normaliser);
      loss.put(t, weight == 0
                      ? 0
                      : weight * (normaliser - logits.get(t, checked_target(signature, targets, t, V))));
    }
  });
}

std::unique_ptr<Kernel> cross_entropy_grad(const Signature& signature) {
  return kernel(signature, [signature](const Operands& operands) {
    const View &logits = operands.in[0], &targets = operands.in[1], &weights = operands.in[2];
    const View &lse = operands.in[3], &dloss = operands.in[4];
    const Result& dlogits = operands.out[0];
    const int64_t V = logits.columns();
    for (int64_t t = 0; t < logits.rows(); ++t) {
      const double weight = weights.get(t);
      const int64_t target = weight == 0 ? -1 : checked_target(signature, targets, t, V);
      for (int64_t v = 0; v < V; ++v) {
        const double softmax = std::exp(logits.get(t, v) - lse.get(t));
        dlogits.put(t, v, weight == 0 ? 0 : dloss.get(t) * weight * (softmax - (v == target ? 1 : 0)));
      }
    }
  });
}

}  // namespace pleat::kernels::ref
