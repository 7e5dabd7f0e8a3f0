// SPDX-License-Identifier: Apache-2.0
// adamw: one pass over gradient, master and moments; memory-bound.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/adamw.cpp"
#include "kernels/cpu/targets.h"
// after targets.h
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <algorithm>
#include <cmath>

#include "kernels/cpu/adamw.h"
#include "kernels/cpu/field.h"
#include "kernels/cpu/make.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pleat::kernels::cpu {
namespace HWY_NAMESPACE {

void adamw_piece(const float* g, float* master, float* m, float* v, int64_t count, const AdamWNumbers& n) {
  for (int64_t i = 0; i < count; i += lanes()) {
    const int64_t left = count - i;
    const V gradient = hn::Mul(load_part(g + i, left), set(n.factor));
    const V weight = load_part(master + i, left);
    const V first =
        hn::MulAdd(set(n.beta1), load_part(m + i, left), hn::Mul(set(n.one_minus_beta1), gradient));
    const V squared = hn::Mul(gradient, gradient);
    const V second =
        hn::MulAdd(set(n.beta2), load_part(v + i, left), hn::Mul(set(n.one_minus_beta2), squared));
    const V mean = hn::Mul(first, set(n.correction1));
    const V root = hn::Sqrt(hn::Mul(second, set(n.correction2)));
    const V step = hn::MulAdd(set(n.weight_decay), weight, hn::Div(mean, hn::Add(root, set(n.eps))));
    store_part(first, m + i, left);
    store_part(second, v + i, left);
    store_part(hn::NegMulAdd(set(n.learning_rate), step, weight), master + i, left);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace pleat::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pleat::kernels::cpu {
namespace {

HWY_EXPORT(adamw_piece);

AdamWNumbers with_scalars(AdamWNumbers n, double beta1, double beta2, const double* scalars, double factor) {
  n.factor = static_cast<float>(factor);
  n.learning_rate = static_cast<float>(scalars[0]);
  n.correction1 = static_cast<float>(1.0 / (1.0 - std::pow(beta1, scalars[1])));
  n.correction2 = static_cast<float>(1.0 / (1.0 - std::pow(beta2, scalars[1])));
  return n;
}

}  // namespace

KernelPtr make_adamw(const Signature& s, int) {
  const double beta1 = s.attributes.number("beta1"), beta2 = s.attributes.number("beta2");
  AdamWNumbers fixed;
  fixed.beta1 = static_cast<float>(beta1);
  fixed.beta2 = static_cast<float>(beta2);
  fixed.one_minus_beta1 = static_cast<float>(1.0 - beta1);
  fixed.one_minus_beta2 = static_cast<float>(1.0 - beta2);
  fixed.eps = static_cast<float>(s.attributes.number("eps"));
  fixed.weight_decay = static_cast<float>(s.attributes.number("weight_decay"));
  return make_kernel(
      [fixed, beta1, beta2, count = s.reads[0].shape.elements()](const Call& call, Team& team) {
        if (*reinterpret_cast<const int32_t*>(call.reads[2]) == 0) return;
        const auto* scalars = reinterpret_cast<const double*>(call.reads[3]);
        const double factor = *reinterpret_cast<const double*>(call.reads[1]);
        const AdamWNumbers numbers = with_scalars(fixed, beta1, beta2, scalars, factor);
        const auto* g = reinterpret_cast<const float*>(call.reads[0]);
        auto* master = reinterpret_cast<float*>(call.writes[0]);
        auto* m = reinterpret_cast<float*>(call.writes[1]);
        auto* v = reinterpret_cast<float*>(call.writes[2]);
        team.run((count + kTaskElements - 1) / kTaskElements, [&](int64_t index, int) {
          const int64_t at = index * kTaskElements;
          HWY_DYNAMIC_DISPATCH(adamw_piece)
          (g + at, master + at, m + at, v + at, std::min(kTaskElements, count - at), numbers);
        });
      });
}

}  // namespace pleat::kernels::cpu
#endif
