// SPDX-License-Identifier: Apache-2.0
// Forward:  probs = softmax(logits); indices = the K largest, ties to the lowest, in descending order;
// weights = their
//           probs, over their sum if renormalise; lse = log sum exp logits. Logits are compared, not probs,
//           so that the choice does not depend on how exp rounds.
// Backward: dprobs += the chain through weights; dlogits = probs (dprobs - sum probs dprobs) + dlse probs.
#include <cmath>

#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

namespace {

/// The largest logit of row t that indices[t, 0..chosen) does not hold; the lowest of equal ones.
int64_t next_largest(const View& logits, int64_t t, const View& indices, int64_t chosen) {
  int64_t best = -1;
  for (int64_t e = 0; e < logits.columns(); ++e) {
    bool taken = false;
    for (int64_t k = 0; k < chosen; ++k) taken = taken || indices.integer(t, k) == e;
    if (!taken && (best < 0 || logits.get(t, e) > logits.get(t, best))) best = e;
  }
  return best;
}

}  // namespace

std::unique_ptr<Kernel> router(const Signature& signature) {
  const bool renormalise = signature.attributes.integer("renormalise") != 0;
  return kernel(signature, [renormalise](const Operands& operands) {
    const View& logits = operands.in[0];
    const Result &probs = operands.out[0], &weights = operands.out[1], &indices = operands.out[2];
    const Result& lse = operands.out[3];
    const int64_t E = logits.columns(), K = indices.columns();
    for (int64_t t = 0; t < logits.rows(); ++t) {
      double largest = -HUGE_VAL, sum = 0;
      for (int64_t e = 0; e < E; ++e) largest = std::fmax(largest, logits.get(t, e));
      for (int64_t e = 0; e < E; ++e) sum += std::exp(logits.get(t, e) - largest);
      const auto prob = [&](int64_t e) { return std::exp(logits.get(t, e) - largest) / sum; };
      lse.put(t, largest + std::log(sum));
      for (int64_t e = 0; e < E; ++e) probs.put(t, e, prob(e));
      double chosen = 0;
      for (int64_t k = 0; k < K; ++k) {
        const int64_t e = next_largest(logits, t, indices, k);
        indices.put(t, k, static_cast<double>(e));
        chosen += prob(e);
      }
      for (int64_t k = 0; k < K; ++k)
        weights.put(t, k, prob(indices.integer(t, k)) / (renormalise ? chosen : 1));
    }
  });
}

std::unique_ptr<Kernel> router_grad(const Signature& signature) {
  const bool renormalise = signature.attributes.integer("renormalise") != 0;
  return kernel(signature, [renormalise](const Operands& operands) {
    const View &probs = operands.in[0], &weights = operands.in[1], &indices = operands.in[2];
    const View &dweights = operands.in[3], &dprobs = operands.in[4], &dlse = operands.in[5];
    const Result& dlogits = operands.out[0];
    const int64_t E = probs.columns(), K = indices.columns();
    for (int64_t t = 0; t < probs.rows(); ++t) {
      double chosen = 0, along = 0;  // sum of the chosen probs; sum of dweights weights
      for (int64_t k = 0; k < K; ++k) chosen += probs.get(t, indices.integer(t, k));
      for (int64_t k = 0; k < K; ++k) along += dweights.get(t, k) * weights.get(t, k);
      const auto dprob = [&](int64_t e) {
        double d = dprobs.get(t, e);
        for (int64_t k = 0; k < K; ++k)
          if (indices.integer(t, k) == e)
            d += renormalise ? (dweights.get(t, k) - along) / chosen : dweights.get(t, k);
        return d;
      };
      double mean = 0;
      for (int64_t e = 0; e < E; ++e) mean += probs.get(t, e) * dprob(e);
      for (int64_t e = 0; e < E; ++e) dlogits.put(t, e, probs.get(t, e) * (dprob(e) - mean + dlse.get(t)));
    }
  });
}

}  // namespace pleat::kernels::ref
