// SPDX-License-Identifier: Apache-2.0
// router, router_grad, router_sums, router_sums_grad: all in fp32, one token at a time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/router.cpp"
#include "kernels/cpu/targets.h"
// after targets.h
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <algorithm>
#include <cmath>

#include "kernels/cpu/field.h"
#include "kernels/cpu/functions-inl.h"
#include "kernels/cpu/make.h"

HWY_BEFORE_NAMESPACE();
namespace pleat::kernels::cpu {
namespace HWY_NAMESPACE {

/// Of the numbers that come after (value, index) in descending order, ties by index, the first; -1 if NaN
/// hides it.
HWY_INLINE int32_t next_largest(const float* x, int64_t n, float value, int64_t index) {
  const V past = set(value), at = set(static_cast<float>(index)), low = set(-HUGE_VALF);
  const auto candidates = [&](int64_t i, V v) HWY_ATTR {
    const auto later = hn::Gt(hn::Iota(kF, static_cast<float>(i)), at);
    const auto after = hn::Or(hn::Lt(v, past), hn::And(hn::Eq(v, past), later));
    return hn::And(after, hn::FirstN(kF, static_cast<size_t>(std::min(lanes(), n - i))));
  };
  V best = low;
  for (int64_t i = 0; i < n; i += lanes()) {
    const V v = load_part(x + i, n - i);
    best = hn::Max(best, hn::IfThenElse(candidates(i, v), v, low));
  }
  const V top = set(max_lanes(best));
  for (int64_t i = 0; i < n; i += lanes()) {
    const V v = load_part(x + i, n - i);
    const auto found = hn::FindFirstTrue(kF, hn::And(candidates(i, v), hn::Eq(v, top)));
    if (found >= 0) return static_cast<int32_t>(i + found);
  }
  return -1;
}

HWY_INLINE int32_t lowest_unchosen(const int32_t* chosen, int64_t count) {
  for (int32_t e = 0;; ++e)
    if (std::find(chosen, chosen + count, e) == chosen + count) return e;
}

HWY_INLINE void choose(const float* x, int64_t experts, int32_t* indices, int64_t top_k) {
  float value = HUGE_VALF;
  int64_t index = -1;
  for (int64_t k = 0; k < top_k; ++k) {
    int32_t next = next_largest(x, experts, value, index);
    if (next < 0) next = lowest_unchosen(indices, k);
    indices[k] = next;
    value = x[next];
    index = next;
  }
}

/// probs = softmax; returns lse.
HWY_INLINE float softmax(const float* x, float* probs, int64_t n) {
  V top = set(-HUGE_VALF);
  for (int64_t i = 0; i < n; i += lanes()) {
    const auto valid = hn::FirstN(kF, static_cast<size_t>(std::min(lanes(), n - i)));
    top = hn::Max(top, hn::IfThenElse(valid, load_part(x + i, n - i), set(-HUGE_VALF)));
  }
  const float highest = max_lanes(top);
  V sum = hn::Zero(kF);
  for (int64_t i = 0; i < n; i += lanes()) {
    const auto valid = hn::FirstN(kF, static_cast<size_t>(std::min(lanes(), n - i)));
    const V p = hn::IfThenElseZero(valid, exp_negative(hn::Sub(load_part(x + i, n - i), set(highest))));
    sum = hn::Add(sum, p);
    store_part(p, probs + i, n - i);
  }
  const float total = sum_lanes(sum);
  const V scale = set(1.0f / total);
  for (int64_t i = 0; i < n; i += lanes())
    store_part(hn::Mul(load_part(probs + i, n - i), scale), probs + i, n - i);
  return highest + std::log(total);
}

void router_token(const float* logits, float* probs, float* weights, int32_t* indices, float* lse,
                  int64_t experts, int64_t top_k, bool renormalise) {
  *lse = softmax(logits, probs, experts);
  choose(logits, experts, indices, top_k);
  float chosen = 0;
  for (int64_t k = 0; k < top_k; ++k) chosen += probs[indices[k]];
  for (int64_t k = 0; k < top_k; ++k)
    weights[k] = renormalise ? probs[indices[k]] / chosen : probs[indices[k]];
}

/// `chain` holds the whole cotangent of probs and becomes that of the logits.
void softmax_grad(const float* probs, float* chain, float dlse, int64_t n) {
  V dot = hn::Zero(kF);
  for (int64_t i = 0; i < n; i += lanes())
    dot = hn::MulAdd(load_part(probs + i, n - i), load_part(chain + i, n - i), dot);
  const V shift = set(dlse - sum_lanes(dot));
  for (int64_t i = 0; i < n; i += lanes()) {
    const V d = hn::Add(load_part(chain + i, n - i), shift);
    store_part(hn::Mul(load_part(probs + i, n - i), d), chain + i, n - i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace pleat::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pleat::kernels::cpu {
namespace {

HWY_EXPORT(router_token);
HWY_EXPORT(softmax_grad);

template <class T = float>
T* numbers(std::byte* data) {
  return reinterpret_cast<T*>(data);
}

/// chain += the chain through the chosen weights.
void add_weight_chain(const float* probs, const float* weights, const int32_t* indices, const float* dweights,
                      float* chain, int64_t top_k, bool renormalise) {
  float chosen = 0, along = 0;
  for (int64_t k = 0; k < top_k; ++k) {
    chosen += probs[indices[k]];
    along += dweights[k] * weights[k];
  }
  for (int64_t k = 0; k < top_k; ++k)
    chain[indices[k]] += renormalise ? (dweights[k] - along) / chosen : dweights[k];
}

}  // namespace

KernelPtr make_router(const Signature& s, int) {
  const int64_t tokens = s.reads[0].shape[0], experts = s.reads[0].shape[1], top_k = s.writes[1].shape[1];
  const bool renormalise = s.attributes.integer("renormalise") != 0;
  return make_kernel([=](const Call& call, Team& team) {
    for_rows(team, tokens, 8 * experts, [&](int64_t begin, int64_t end, int) {
      for (int64_t t = begin; t < end; ++t) HWY_DYNAMIC_DISPATCH(router_token)
      (numbers(call.reads[0]) + t * experts, numbers(call.writes[0]) + t * experts,
       numbers(call.writes[1]) + t * top_k, numbers<int32_t>(call.writes[2]) + t * top_k,
       numbers(call.writes[3]) + t, experts, top_k, renormalise);
    });
  });
}

KernelPtr make_router_grad(const Signature& s, int) {
  const int64_t tokens = s.reads[0].shape[0], experts = s.reads[0].shape[1], top_k = s.reads[1].shape[1];
  const bool renormalise = s.attributes.integer("renormalise") != 0;
  return make_kernel([=](const Call& call, Team& team) {
    for_rows(team, tokens, 4 * experts, [&](int64_t begin, int64_t end, int) {
      for (int64_t t = begin; t < end; ++t) {
        const float* probs = numbers(call.reads[0]) + t * experts;
        const float* dprobs = numbers(call.reads[4]) + t * experts;
        float* chain = numbers(call.writes[0]) + t * experts;
        std::copy(dprobs, dprobs + experts, chain);
        add_weight_chain(probs, numbers(call.reads[1]) + t * top_k,
                         numbers<int32_t>(call.reads[2]) + t * top_k, numbers(call.reads[3]) + t * top_k,
                         chain, top_k, renormalise);
        HWY_DYNAMIC_DISPATCH(softmax_grad)(probs, chain, numbers(call.reads[5])[t], experts);
      }
    });
  });
}

int64_t router_sums_workspace(const Signature& s, int) {
  return s.writes[0].shape.elements() * static_cast<int64_t>(sizeof(double));
}

KernelPtr make_router_sums(const Signature& s, int) {
  const int64_t groups = s.writes[0].shape[0], experts = s.writes[0].shape[1], top_k = s.reads[1].shape[1];
  const int64_t per_group = s.reads[0].shape[0] / groups;
  return make_kernel([=](const Call& call, Team& team) {
    team.run(groups, [&](int64_t g, int) {
      auto* sums = reinterpret_cast<double*>(call.workspace) + g * experts;
      float* counts = numbers(call.writes[0]) + g * experts;
      std::fill(sums, sums + experts, 0.0);
      std::fill(counts, counts + experts, 0.0f);
      double squares = 0;
      for (int64_t t = g * per_group; t < (g + 1) * per_group; ++t) {
        const float* probs = numbers(call.reads[0]) + t * experts;
        const int32_t* indices = numbers<int32_t>(call.reads[1]) + t * top_k;
        const double lse = numbers(call.reads[2])[t];
        for (int64_t e = 0; e < experts; ++e) sums[e] += probs[e];
        for (int64_t k = 0; k < top_k; ++k) counts[indices[k]] += 1.0f;
        squares += lse * lse;
      }
      std::transform(sums, sums + experts, numbers(call.writes[1]) + g * experts,
                     [](double x) { return static_cast<float>(x); });
      numbers(call.writes[2])[g] = static_cast<float>(squares);
    });
  });
}

KernelPtr make_router_sums_grad(const Signature& s, int) {
  const int64_t groups = s.reads[1].shape[0], experts = s.reads[1].shape[1];
  const int64_t tokens = s.reads[0].shape[0], per_group = tokens / groups;
  return make_kernel([=](const Call& call, Team& team) {
    for_rows(team, tokens, experts, [&](int64_t begin, int64_t end, int) {
      for (int64_t t = begin; t < end; ++t) {
        const int64_t g = t / per_group;
        const float* dsums = numbers(call.reads[1]) + g * experts;
        std::copy(dsums, dsums + experts, numbers(call.writes[0]) + t * experts);
        numbers(call.writes[1])[t] = 2 * numbers(call.reads[0])[t] * numbers(call.reads[2])[g];
      }
    });
  });
}

}  // namespace pleat::kernels::cpu
#endif
