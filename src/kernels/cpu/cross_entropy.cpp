// SPDX-License-Identifier: Apache-2.0
// cross_entropy, cross_entropy_grad: one row of logits at a time, in fp32.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/cross_entropy.cpp"
#include "kernels/cpu/targets.h"
// after targets.h
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/errors.h"
#include "kernels/cpu/field.h"
#include "kernels/cpu/make.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pleat::kernels::cpu {
namespace HWY_NAMESPACE {

/// log of the sum of e^x over a row; NaN or inf among the logits gives NaN or inf.
template <class T>
HWY_INLINE float log_sum_exp(const T* x, int64_t n) {
  V tops[4] = {set(-HUGE_VALF), set(-HUGE_VALF), set(-HUGE_VALF), set(-HUGE_VALF)};
  const int64_t step = lanes();
  int64_t i = 0;
  for (; i + 4 * step <= n; i += 4 * step)
    for (int64_t j = 0; j < 4; ++j) tops[j] = hn::Max(tops[j], load(x + i + j * step));
  for (; i + step <= n; i += step) tops[0] = hn::Max(tops[0], load(x + i));
  float highest = max_lanes(hn::Max(hn::Max(tops[0], tops[1]), hn::Max(tops[2], tops[3])));
  for (; i < n; ++i) highest = std::max(highest, static_cast<float>(x[i]));
  const V m = set(highest);
  // What lies 87 below the highest counts as e^-87 instead of less, which no sum notices.
  const auto term = [&](int64_t at)
                        HWY_ATTR { return exp_in_range(hn::Max(set(-87.33f), hn::Sub(load(x + at), m))); };
  V sum = hn::Zero(kF), other = hn::Zero(kF);
  for (i = 0; i + 2 * step <= n; i += 2 * step) {
    sum = hn::Add(sum, term(i));
    other = hn::Add(other, term(i + step));
  }
  for (; i + step <= n; i += step) sum = hn::Add(sum, term(i));
  float total = sum_lanes(hn::Add(sum, other));
  for (; i < n; ++i) total += std::exp(static_cast<float>(x[i]) - highest);
  return highest + std::log(total);
}

template <class T>
HWY_INLINE void grad_row(const T* x, T* dx, int64_t n, float lse, float factor) {
  const V l = set(lse), f = set(factor);
  int64_t i = 0;
  for (; i + lanes() <= n; i += lanes()) store(hn::Mul(f, exp(hn::Sub(load(x + i), l))), dx + i);
  if (i < n) store_part(hn::Mul(f, exp(hn::Sub(load_part(x + i, n - i), l))), dx + i, n - i);
}

float row_lse(const Field& logits, int64_t row, int64_t n) {
  return logits.is_bf16() ? log_sum_exp(logits.row<bf16>(row), n) : log_sum_exp(logits.row<float>(row), n);
}

/// factor (softmax - onehot) of one row.
void row_grad(const Field& logits, const Field& grad, int64_t row, int64_t n, float lse, float factor,
              int64_t target) {
  const auto corrected = [&](float logit) { return factor * (std::exp(logit - lse) - 1.0f); };
  if (logits.is_bf16()) {
    grad_row(logits.row<bf16>(row), grad.row<bf16>(row), n, lse, factor);
    grad.row<bf16>(row)[target] = bf16(corrected(static_cast<float>(logits.row<bf16>(row)[target])));
  } else {
    const float logit = logits.row<float>(row)[target];
    grad_row(logits.row<float>(row), grad.row<float>(row), n, lse, factor);
    grad.row<float>(row)[target] = corrected(logit);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace pleat::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pleat::kernels::cpu {
namespace {

HWY_EXPORT(row_lse);
HWY_EXPORT(row_grad);

int64_t checked_target(int32_t target, int64_t vocabulary, int64_t token) {
  if (target < 0 || target >= vocabulary)
    base::fail<base::CheckError>("cross_entropy: token {} has target {}, outside the vocabulary of {}", token,
                                 target, vocabulary);
  return target;
}

float logit_at(const Field& logits, int64_t row, int64_t column) {
  return logits.is_bf16() ? static_cast<float>(logits.row<base::bf16>(row)[column])
                          : logits.row<float>(row)[column];
}

}  // namespace

KernelPtr make_cross_entropy(const Signature& s, int) {
  return make_kernel([s](const Call& call, Team& team) {
    const Field logits(s.reads[0], call.reads[0]);
    const auto* targets = reinterpret_cast<const int32_t*>(call.reads[1]);
    const auto* weights = reinterpret_cast<const float*>(call.reads[2]);
    auto* loss = reinterpret_cast<float*>(call.writes[0]);
    auto* lse = reinterpret_cast<float*>(call.writes[1]);
    const int64_t vocabulary = s.reads[0].shape[1];
    for_rows(team, s.reads[0].shape[0], vocabulary, [&](int64_t begin, int64_t end, int) {
      for (int64_t t = begin; t < end; ++t) {
        lse[t] = HWY_DYNAMIC_DISPATCH(row_lse)(logits, t, vocabulary);
        loss[t] = 0.0f;
        if (weights[t] != 0.0f)
          loss[t] = weights[t] * (lse[t] - logit_at(logits, t, checked_target(targets[t], vocabulary, t)));
      }
    });
  });
}

KernelPtr make_cross_entropy_grad(const Signature& s, int) {
  return make_kernel([s](const Call& call, Team& team) {
    const Field logits(s.reads[0], call.reads[0]), grad(s.writes[0], call.writes[0]);
    const auto* targets = reinterpret_cast<const int32_t*>(call.reads[1]);
    const auto* weights = reinterpret_cast<const float*>(call.reads[2]);
    const auto* lse = reinterpret_cast<const float*>(call.reads[3]);
    const auto* dloss = reinterpret_cast<const float*>(call.reads[4]);
    const int64_t vocabulary = s.reads[0].shape[1];
    for_rows(team, s.reads[0].shape[0], vocabulary, [&](int64_t begin, int64_t end, int) {
      for (int64_t t = begin; t < end; ++t) {
        const int64_t bytes = base::size_of(grad.dtype);
        if (weights[t] == 0.0f) {
          std::memset(grad.data + t * grad.stride * bytes, 0, static_cast<size_t>(vocabulary * bytes));
          continue;
        }
        HWY_DYNAMIC_DISPATCH(row_grad)
        (logits, grad, t, vocabulary, lse[t], dloss[t] * weights[t],
         checked_target(targets[t], vocabulary, t));
      }
    });
  });
}

}  // namespace pleat::kernels::cpu
#endif
