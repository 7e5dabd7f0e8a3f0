// SPDX-License-Identifier: Apache-2.0
// attention: online softmax over chunks of keys, 32 queries at a time (attention.h says how they are held).
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention.cpp"
#include "kernels/cpu/targets.h"
// after targets.h
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/contrib/math/math-inl.h>

#include <cmath>

#include "kernels/cpu/attention-inl.h"
#include "kernels/cpu/attention_forward.h"
#include "kernels/cpu/make.h"

HWY_BEFORE_NAMESPACE();
namespace pleat::kernels::cpu {
namespace HWY_NAMESPACE {

/// Of one chunk's scores, not yet scaled: raises `top`, scales down `sum` and `mixed` accordingly.
HWY_INLINE void raise_maximum(const ForwardBlock& b, const Sight& sight, int64_t key, int64_t keys,
                              int vector, int64_t n) {
  float* scores = b.scores + vector * lanes();
  V largest = set(-HUGE_VALF);
  const int64_t unmasked = sight.unmasked(key, keys);
  for (int64_t j = 0; j < unmasked; ++j) largest = hn::Max(largest, hn::Load(kF, scores + j * kQueries));
  const Mask mask(sight, vector);
  for (int64_t j = unmasked; j < keys; ++j) {
    const V s = hn::IfThenElse(mask(key + j), hn::Load(kF, scores + j * kQueries), set(-HUGE_VALF));
    hn::Store(s, kF, scores + j * kQueries);
    largest = hn::Max(largest, s);
  }
  const V old = hn::Load(kF, b.top + vector * lanes());
  const V top = hn::Max(old, hn::Mul(largest, set(b.scale)));  // scale is positive
  hn::Store(top, kF, b.top + vector * lanes());
  if (hn::AllTrue(kF, hn::Eq(top, old))) return;
  const V shrink = hn::IfThenElse(hn::Eq(top, old), set(1.0f), exp_negative(hn::Sub(old, top)));
  float* sum = b.sum + vector * lanes();
  hn::Store(hn::Mul(hn::Load(kF, sum), shrink), kF, sum);
  for (int64_t i = 0; i < n; ++i) {
    float* mixed = b.mixed + i * kQueries + vector * lanes();
    hn::Store(hn::Mul(hn::Load(kF, mixed), shrink), kF, mixed);
  }
}

/// Scores to weights, stored as a panel; adds them up in `sum`.
HWY_INLINE void weigh(const ForwardBlock& b, int64_t keys, int64_t depth, int vector, bool halves) {
  const float* scores = b.scores + vector * lanes();
  const V raised = hn::Load(kF, b.top + vector * lanes()), scale = set(b.scale);
  // Nothing seen yet: every score is -inf and must give 0, not NaN.
  const V top = hn::IfThenElse(hn::Eq(raised, set(-HUGE_VALF)), hn::Zero(kF), raised);
  const auto weight = [&](int64_t j) HWY_ATTR {
    return exp_negative(hn::MulSub(hn::Load(kF, scores + j * kQueries), scale, top));
  };
  V sum = hn::Zero(kF), other = hn::Zero(kF);
  if (halves) {
    auto* words = reinterpret_cast<uint32_t*>(b.weights) + vector * lanes();
    for (int64_t j = 0; j < depth; j += 2) {
      const V even = j < keys ? weight(j) : hn::Zero(kF), odd = j + 1 < keys ? weight(j + 1) : hn::Zero(kF);
      sum = hn::Add(sum, even);
      other = hn::Add(other, odd);
      store_pair(even, odd, words + j / 2 * kQueries);
    }
  } else {
    auto* weights = reinterpret_cast<float*>(b.weights) + vector * lanes();
    for (int64_t j = 0; j < keys; ++j) {
      const V p = weight(j);
      sum = hn::Add(sum, p);
      hn::Store(p, kF, weights + j * kQueries);
    }
  }
  float* total = b.sum + vector * lanes();
  hn::Store(hn::Add(hn::Load(kF, total), hn::Add(sum, other)), kF, total);
}

void softmax_chunk(const ForwardBlock& b, const Sight& sight, int64_t key, int64_t keys, int64_t depth,
                   int64_t n, bool halves) {
  for (int vector = 0; vector < kVectors; ++vector) {
    raise_maximum(b, sight, key, keys, vector, n);
    weigh(b, keys, depth, vector, halves);
  }
}

void begin_block(const ForwardBlock& b, int64_t n) {
  std::fill(b.top, b.top + kQueries, -HUGE_VALF);
  std::fill(b.sum, b.sum + kQueries, 0.0f);
  std::fill(b.mixed, b.mixed + round_up(n, 4) * kQueries, 0.0f);
}

/// o and lse of the block's queries; `lse` steps by `lse_stride` from token to token.
void end_block(const ForwardBlock& b, const Field& o, int64_t token, int64_t head, int64_t n, int64_t queries,
               float* lse, int64_t lse_stride) {
  HWY_ALIGN float inverse[kQueries];
  HWY_ALIGN float logs[kQueries];
  for (int64_t i = 0; i < kQueries; i += lanes()) {
    const V sum = hn::Load(kF, b.sum + i);
    hn::Store(hn::Div(set(1.0f), sum), kF, inverse + i);
    hn::Store(hn::Add(hn::Load(kF, b.top + i), hn::Log(kF, sum)), kF, logs + i);
  }
  for (int64_t q = 0; q < queries; ++q) lse[q * lse_stride] = logs[q];
  if (o.is_bf16())
    store_turned(b.mixed, n, inverse, b.turned, o.row<bf16>(token) + head * n, o.stride, queries);
  else
    store_turned(b.mixed, n, inverse, b.turned, o.row<float>(token) + head * n, o.stride, queries);
}

}  // namespace HWY_NAMESPACE
}  // namespace pleat::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pleat::kernels::cpu {
namespace {

HWY_EXPORT(begin_block);
HWY_EXPORT(softmax_chunk);
HWY_EXPORT(end_block);

constexpr int64_t kSegment = 512;  // queries of a task

ForwardScratch carve(Carver& carver, const AttentionShape& shape) {
  ForwardScratch scratch;
  scratch.keys = carver.bytes(shape.sequence * Product::packed_row_bytes(shape.n));
  scratch.values = carver.bytes(shape.n * Product::packed_row_bytes(shape.sequence));
  scratch.queries = carver.bytes(shape.padded_n() * kQueries * 4);
  scratch.block.scores = carver.floats(kKeyChunk * kQueries);
  scratch.block.weights = carver.bytes(kKeyChunk * kQueries * 4);
  scratch.block.mixed = carver.floats(round_up(shape.n, 4) * kQueries);
  scratch.block.turned = carver.floats(round_up(shape.n, 4) * kQueries);
  scratch.block.top = carver.floats(kQueries);
  scratch.block.sum = carver.floats(kQueries);
  scratch.block.scale = shape.scale;
  return scratch;
}

/// One key-value head of one sample, and the queries [begin, end) of the heads that share it.
class ForwardTask {
 public:
  ForwardTask(const AttentionShape& shape, const Product& product, const Call& call, const Signature& s,
              int64_t sample, std::byte* scratch)
      : shape_(shape),
        product_(product),
        q_(s.reads[0], call.reads[0]),
        k_(s.reads[1], call.reads[1]),
        v_(s.reads[2], call.reads[2]),
        o_(s.writes[0], call.writes[0]),
        documents_(reinterpret_cast<const int32_t*>(call.reads[3]) + sample * shape.sequence),
        lse_(reinterpret_cast<float*>(call.writes[1])),
        first_token_(sample * shape.sequence) {
    Carver carver(scratch);
    scratch_ = carve(carver, shape);
  }

  void run(int64_t kv_head, int64_t begin, int64_t end) {
    const TileScope tiles(product_);
    const bool one_document = is_one_document(documents_, shape_.sequence);
    pack(kv_head, end);
    for (int64_t query = begin; query < end; query += kQueries) {
      const Sight sight{query, std::min(kQueries, end - query), shape_.window, one_document, documents_};
      for (int64_t h = kv_head * shape_.group(); h < (kv_head + 1) * shape_.group(); ++h) attend(sight, h);
    }
  }

 private:
  void pack(int64_t kv_head, int64_t keys) {
    const Matrix k = head_of(k_, first_token_, kv_head, shape_.n, false);
    in_place_ = product_.reads_in_place(k, shape_.n);
    keys_ = in_place_ ? k.data : scratch_.keys;
    key_stride_ = in_place_ ? k.row_stride : product_.packed_stride(shape_.n);
    if (!in_place_) product_.pack_rows(k, 0, keys, shape_.n, scratch_.keys);
    product_.pack_rows(head_of(v_, first_token_, kv_head, shape_.n, true), 0, shape_.n, keys,
                       scratch_.values);
    value_stride_ = product_.packed_stride(keys);
  }

  void attend(const Sight& sight, int64_t head) {
    const ForwardBlock& b = scratch_.block;
    const int64_t token = first_token_ + sight.first_query;
    product_.pack_panels(head_of(q_, token, head, shape_.n, true), shape_.n, 0, sight.queries,
                         scratch_.queries);
    HWY_DYNAMIC_DISPATCH(begin_block)(b, shape_.n);
    for (int64_t key = sight.key_begin(); key < sight.key_end(); key += kKeyChunk) {
      const int64_t keys = std::min(kKeyChunk, sight.key_end() - key);
      attend_chunk(sight, key, keys);
    }
    HWY_DYNAMIC_DISPATCH(end_block)
    (b, o_, token, head, shape_.n, sight.queries, lse_ + token * shape_.heads + head, shape_.heads);
  }

  void attend_chunk(const Sight& sight, int64_t key, int64_t keys) {
    const ForwardBlock& b = scratch_.block;
    const int64_t element = product_.element_bytes(), depth = product_.padded(keys);
    const Block scores{
        keys,        kQueries,        product_.padded(shape_.n), keys_ + key * key_stride_ * element,
        key_stride_, scratch_.queries};
    product_.multiply(scores,
                      {reinterpret_cast<std::byte*>(b.scores), base::DType::f32, kQueries, false, true});
    HWY_DYNAMIC_DISPATCH(softmax_chunk)(b, sight, key, keys, depth, shape_.n, product_.form() == Form::bf16);
    const Block mix{shape_.n, kQueries, depth, scratch_.values + key * element, value_stride_, b.weights};
    product_.multiply(mix, {reinterpret_cast<std::byte*>(b.mixed), base::DType::f32, kQueries, true, true});
  }

  const AttentionShape& shape_;
  const Product& product_;
  Field q_, k_, v_, o_;
  const int32_t* documents_;
  float* lse_;
  int64_t first_token_;
  ForwardScratch scratch_;
  bool in_place_ = false;
  const std::byte* keys_ = nullptr;
  int64_t key_stride_ = 0, value_stride_ = 0;
};

}  // namespace

int64_t attention_workspace(const Signature& s, int team_size) {
  Carver carver(nullptr);
  carve(carver, AttentionShape(s));
  return carver.used() * team_size;
}

KernelPtr make_attention(const Signature& s, int team_size) {
  const AttentionShape shape(s);
  const Product product(s.reads[0].dtype);
  const int64_t scratch = attention_workspace(s, team_size) / team_size;
  return make_kernel([=](const Call& call, Team& team) {
    const int64_t segments = (shape.sequence + kSegment - 1) / kSegment;
    team.run(shape.samples * shape.kv_heads * segments, [&](int64_t index, int worker) {
      const int64_t sample = index / segments / shape.kv_heads, begin = index % segments * kSegment;
      ForwardTask task(shape, product, call, s, sample, call.workspace + worker * scratch);
      task.run(index / segments % shape.kv_heads, begin, std::min(shape.sequence, begin + kSegment));
    });
  });
}

}  // namespace pleat::kernels::cpu
#endif
