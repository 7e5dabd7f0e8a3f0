// SPDX-License-Identifier: Apache-2.0
// The lanes of 32 queries: masks, and stores of weights as rows or as a packed panel.
#if defined(PLEAT_KERNELS_CPU_ATTENTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PLEAT_KERNELS_CPU_ATTENTION_INL_H_
#undef PLEAT_KERNELS_CPU_ATTENTION_INL_H_
#else
#define PLEAT_KERNELS_CPU_ATTENTION_INL_H_
#endif

#include "kernels/cpu/attention.h"
#include "kernels/cpu/functions-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pleat::kernels::cpu {
namespace HWY_NAMESPACE {

using I = hn::RebindToSigned<F>;
inline constexpr int kVectors = 32 * 4 / HWY_MAX_BYTES;  // of 32 queries
static_assert(kQueries == 32);

/// Tells for a key which of one vector of queries see it.
class Mask {
 public:
  HWY_INLINE Mask(const Sight& sight, int vector) : sight_(sight) {
    const auto first = static_cast<int32_t>(sight.first_query + vector * lanes());
    query_ = hn::Iota(I(), first);
    HWY_ALIGN int32_t documents[32];
    for (int64_t i = 0; i < lanes(); ++i)
      documents[i] = sight.documents[std::min<int64_t>(first + i, sight.key_end() - 1)];
    document_ = hn::Load(I(), documents);
  }
  HWY_INLINE hn::Mask<F> operator()(int64_t key) const {
    const auto j = hn::Set(I(), static_cast<int32_t>(key));
    auto hidden = hn::Or(hn::Gt(j, query_), hn::Ne(document_, hn::Set(I(), sight_.documents[key])));
    if (sight_.window != 0) {
      const auto last = hn::Set(I(), static_cast<int32_t>(key + sight_.window - 1));
      hidden = hn::Or(hidden, hn::Gt(query_, last));
    }
    return hn::RebindMask(F(), hn::Not(hidden));
  }

 private:
  const Sight& sight_;
  hn::Vec<I> query_, document_;
};

/// To nearest even as round_halves, the result still in the upper halves with the rest below it. A NaN with
/// all payload bits set is lost: only for weights, whose NaN is also in the sum or in the scores' gradient.
HWY_INLINE hn::Vec<U> round_in_place(V x) {
  const auto u = hn::BitCast(kU, x);
  const auto odd = hn::And(hn::ShiftRight<16>(u), hn::Set(kU, 1u));
  return hn::Add(u, hn::Add(odd, hn::Set(kU, 0x7fffu)));
}

/// Keys 2w and 2w + 1 of a panel of bf16: the even key in the low halves.
HWY_INLINE void store_pair(V even, V odd, uint32_t* words) {
  const auto upper = hn::And(round_in_place(odd), hn::Set(kU, 0xffff0000u));
  hn::Store(hn::Or(hn::ShiftRight<16>(round_in_place(even)), upper), kU, words);
}

/// A [n][32] result, each column divided by its own number (`factor` null: as it is), to rows of 32 queries.
template <class T>
HWY_INLINE void store_turned(const float* sums, int64_t n, const float* factor, float* turned, T* to,
                             int64_t stride, int64_t queries) {
  const int64_t padded = round_up(n, 4);
  transpose_words(reinterpret_cast<const std::byte*>(sums), kQueries * 4, padded, kQueries,
                  reinterpret_cast<uint32_t*>(turned), padded);
  for (int64_t q = 0; q < queries; ++q) {
    const V f = set(factor == nullptr ? 1.0f : factor[q]);
    for (int64_t i = 0; i < n; i += lanes())
      store_part(hn::Mul(load_part(turned + q * padded + i, n - i), f), to + q * stride + i, n - i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace pleat::kernels::cpu
HWY_AFTER_NAMESPACE();

#endif
