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
#include "kernels/cpu/functions-inl.h"
#include "kernels/cpu/make.h"

HWY_BEFORE_NAMESPACE();
namespace pleat::kernels::cpu {
namespace HWY_NAMESPACE {

/// Elements that are taken at once.
HWY_INLINE int64_t group() {
  return kTogether * lanes();
}

/// The sum over a row of e^x 2^-k, in one pass; k ln 2 is near the highest logit so far. A block that has
/// outgrown it, so that the sum might overflow, is taken again with a higher one.
template <class T>
class SumOfExponentials {
 public:
  /// k is that of the first block.
  SumOfExponentials(const T* x, int64_t count) : k_(power_near(highest(x, count))) {}

  /// One block, `count` a multiple of group().
  void add(const T* x, int64_t count) {
    Terms terms = terms_of(x, count);
    if (!hn::AllFalse(kF, hn::Gt(terms.top, set(k_ * kLog2 + kRise)))) {
      raise(highest(x, count));
      terms = terms_of(x, count);
    }
    sum_ = hn::Add(sum_, terms.sum);
  }

  /// log of the sum of e^x; NaN where this way does not reach, logits of 1e5 and more among others.
  float log() const {
    const float sum = sum_lanes(sum_);
    return std::fabs(k_) < kMost && sum > 0
               ? static_cast<float>(k_ * kLog2 + std::log(static_cast<double>(sum)))
               : NAN;
  }

 private:
  static constexpr float kRise = 8, kMost = 1 << 17;
  static constexpr double kLog2 = 0.693147180559945309;
  struct Terms {
    V sum, top;  // of e^x 2^-k, of x
  };

  static HWY_INLINE void load_group(const T* x, V (&v)[kTogether]) {
    for (int j = 0; j < kTogether; j += 2) {
      const Two two = stream_two(x + j * lanes());
      v[j] = two.a;
      v[j + 1] = two.b;
    }
  }

  static HWY_INLINE float highest(const T* x, int64_t count) {
    V v[kTogether], top = set(-HUGE_VALF);
    for (int64_t i = 0; i < count; i += group()) {
      load_group(x + i, v);
      for (const V& each : v) top = hn::Max(top, each);
    }
    return max_lanes(top);
  }

  HWY_INLINE Terms terms_of(const T* x, int64_t count) const {
    const V shifter = set(kShifter - k_), lowest = set((k_ - 126.9) * kLog2);  // from there on the power is 0
    V v[kTogether], sum[kTogether], top[2] = {set(-HUGE_VALF), set(-HUGE_VALF)};
    for (V& each : sum) each = hn::Zero(kF);
    for (int64_t i = 0; i < count; i += group()) {
      load_group(x + i, v);
      for (int j = 0; j < kTogether; ++j) {
        top[j % 2] = hn::Max(top[j % 2], v[j]);
        v[j] = hn::Max(lowest, v[j]);
      }
      add_exponentials(v, shifter, sum);
    }
    for (int j = 1; j < kTogether; ++j) sum[0] = hn::Add(sum[0], sum[j]);
    return {sum[0], hn::Max(top[0], top[1])};
  }

  static HWY_INLINE float power_near(float top) {
    return std::clamp(std::nearbyint(top * kLogE), -kMost, kMost);  // NaN stays
  }

  HWY_INLINE void raise(float top) {
    const float before = k_;
    k_ = power_near(top);
    sum_ = hn::Mul(sum_, set(std::exp2(before - k_)));
  }

  float k_;
  V sum_ = hn::Zero(kF);
};

/// For rows that SumOfExponentials does not reach; NaN or inf among the logits gives NaN or inf.
template <class T>
float log_sum_exp_slowly(const T* x, int64_t n) {
  double top = -HUGE_VAL, sum = 0;
  for (int64_t i = 0; i < n; ++i) top = std::max(top, static_cast<double>(static_cast<float>(x[i])));
  for (int64_t i = 0; i < n; ++i) sum += std::exp(static_cast<double>(static_cast<float>(x[i])) - top);
  return static_cast<float>(top + std::log(sum));
}

/// log of the sum of e^x over a row; NaN or inf among the logits gives NaN or inf.
template <class T>
HWY_INLINE float log_sum_exp(const T* x, int64_t n) {
  constexpr int64_t kBlock = 1024;
  const int64_t whole = n / group() * group();
  T rest[kTogether * HWY_MAX_BYTES / sizeof(float)];
  std::fill(rest, rest + group(), T(-HUGE_VALF));
  std::copy(x + whole, x + n, rest);
  SumOfExponentials<T> sum(whole == 0 ? rest : x, whole == 0 ? group() : std::min(kBlock, whole));
  for (int64_t i = 0; i < whole; i += kBlock) sum.add(x + i, std::min(kBlock, whole - i));
  if (whole < n) sum.add(rest, group());
  const float log = sum.log();
  return std::isnan(log) ? log_sum_exp_slowly(x, n) : log;
}

template <class T>
HWY_INLINE void grad_row(const T* x, T* dx, int64_t n, float lse, float factor) {
  const V l = set(lse), f = set(factor);
  const auto of = [&](Two v) HWY_ATTR {
    return Two{hn::Mul(f, exp(hn::Sub(v.a, l))), hn::Mul(f, exp(hn::Sub(v.b, l)))};
  };
  int64_t i = 0;
  for (; i + two_lanes() <= n; i += two_lanes()) stream_two(of(stream_two(x + i)), dx + i);
  if (i < n) store_two_part(of(load_two_part(x + i, n - i)), dx + i, n - i);
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
