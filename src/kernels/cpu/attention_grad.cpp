// SPDX-License-Identifier: Apache-2.0
// attention_grad: weights are made again from lse, 32 queries and a chunk of keys at a time. A task has one
// key-value head of one sample, so that dk and dv are summed by one worker in the order of queries, then
// heads.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention_grad.cpp"
#include "kernels/cpu/targets.h"
// after targets.h
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <cmath>

#include "kernels/cpu/attention-inl.h"
#include "kernels/cpu/attention_backward.h"
#include "kernels/cpu/make.h"

HWY_BEFORE_NAMESPACE();
namespace pleat::kernels::cpu {
namespace HWY_NAMESPACE {

/// weight = exp(scale s - lse), dscore = weight (dweight - along) scale.
struct Pair {
  V weight, dscore;
};

HWY_INLINE Pair pair_of(const BackwardBlock& b, int vector, int64_t j, V lse, V along, V scale) {
  const V s = hn::Load(kF, b.scores + j * kQueries + vector * lanes());
  const V weight = exp_negative(hn::MulSub(s, scale, lse));
  const V dweight = hn::Load(kF, b.dweights + j * kQueries + vector * lanes());
  return {weight, hn::Mul(hn::Mul(weight, hn::Sub(dweight, along)), scale)};
}

HWY_INLINE void hide(Pair& pair, hn::Mask<F> seen) {
  pair.weight = hn::IfThenElseZero(seen, pair.weight);
  pair.dscore = hn::IfThenElseZero(seen, pair.dscore);
}

HWY_INLINE void chunk_of_halves(const BackwardBlock& b, const Sight& sight, int64_t key, int64_t keys,
                                int64_t depth, int vector) {
  const V lse = hn::Load(kF, b.lse + vector * lanes()), along = hn::Load(kF, b.along + vector * lanes());
  const int64_t unmasked = sight.unmasked(key, keys);
  const Mask mask(sight, vector);
  auto* weights = reinterpret_cast<bf16*>(b.weights) + vector * lanes();
  auto* dscores = reinterpret_cast<bf16*>(b.dscores) + vector * lanes();
  auto* panel = reinterpret_cast<uint32_t*>(b.dscores_panel) + vector * lanes();
  for (int64_t j = 0; j < depth; j += 2) {
    Pair pair[2] = {{hn::Zero(kF), hn::Zero(kF)}, {hn::Zero(kF), hn::Zero(kF)}};
    for (int64_t i = 0; i < std::min<int64_t>(2, keys - j); ++i) {
      pair[i] = pair_of(b, vector, j + i, lse, along, set(b.scale));
      if (j + i >= unmasked) hide(pair[i], mask(key + j + i));
      const auto half = hn::BitCast(I(), hn::ShiftRight<16>(round_in_place(pair[i].weight)));
      hn::StoreU(hn::DemoteTo(kH, half), kH, reinterpret_cast<uint16_t*>(weights + (j + i) * kQueries));
    }
    const auto even = round_halves(pair[0].dscore), odd = round_halves(pair[1].dscore);
    hn::StoreU(hn::DemoteTo(kH, hn::BitCast(I(), even)), kH,
               reinterpret_cast<uint16_t*>(dscores + j * kQueries));
    if (j + 1 < keys)
      hn::StoreU(hn::DemoteTo(kH, hn::BitCast(I(), odd)), kH,
                 reinterpret_cast<uint16_t*>(dscores + (j + 1) * kQueries));
    hn::Store(hn::Or(even, hn::ShiftLeft<16>(odd)), kU, panel + j / 2 * kQueries);
  }
}

/// In fp32 the rows are at once the panel.
HWY_INLINE void chunk_of_numbers(const BackwardBlock& b, const Sight& sight, int64_t key, int64_t keys,
                                 int vector) {
  const V lse = hn::Load(kF, b.lse + vector * lanes()), along = hn::Load(kF, b.along + vector * lanes());
  const int64_t unmasked = sight.unmasked(key, keys);
  const Mask mask(sight, vector);
  auto* weights = reinterpret_cast<float*>(b.weights) + vector * lanes();
  auto* dscores = reinterpret_cast<float*>(b.dscores) + vector * lanes();
  for (int64_t j = 0; j < keys; ++j) {
    Pair pair = pair_of(b, vector, j, lse, along, set(b.scale));
    if (j >= unmasked) hide(pair, mask(key + j));
    hn::Store(pair.weight, kF, weights + j * kQueries);
    hn::Store(pair.dscore, kF, dscores + j * kQueries);
  }
}

void score_gradients(const BackwardBlock& b, const Sight& sight, int64_t key, int64_t keys, int64_t depth,
                     bool halves) {
  for (int vector = 0; vector < kVectors; ++vector) {
    if (halves)
      chunk_of_halves(b, sight, key, keys, depth, vector);
    else
      chunk_of_numbers(b, sight, key, keys, vector);
  }
}

template <class T>
HWY_INLINE float dot(const T* a, const T* b, int64_t n) {
  V sum = hn::Zero(kF);
  for (int64_t i = 0; i < n; i += lanes())
    sum = hn::MulAdd(load_part(a + i, n - i), load_part(b + i, n - i), sum);
  return sum_lanes(sum);
}

/// lse and do . o of the block's queries; dq to zero.
void begin_block(const BackwardBlock& b, const Field& o, const Field& dout, int64_t token, int64_t head,
                 int64_t n, int64_t queries, const float* lse, int64_t lse_stride) {
  for (int64_t q = 0; q < kQueries; ++q) {
    b.lse[q] = q < queries ? lse[q * lse_stride] : HUGE_VALF;
    if (q >= queries)
      b.along[q] = 0;
    else if (o.is_bf16())
      b.along[q] = dot(dout.row<bf16>(token + q) + head * n, o.row<bf16>(token + q) + head * n, n);
    else
      b.along[q] = dot(dout.row<float>(token + q) + head * n, o.row<float>(token + q) + head * n, n);
  }
  std::fill(b.dq, b.dq + round_up(n, 4) * kQueries, 0.0f);
}

void end_block(const BackwardBlock& b, const Field& dq, int64_t token, int64_t head, int64_t n,
               int64_t queries) {
  if (dq.is_bf16())
    store_turned(b.dq, n, nullptr, b.turned, dq.row<bf16>(token) + head * n, dq.stride, queries);
  else
    store_turned(b.dq, n, nullptr, b.turned, dq.row<float>(token) + head * n, dq.stride, queries);
}

void store_head(const float* sums, const Field& to, int64_t token, int64_t head, int64_t n, int64_t rows) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t i = 0; i < n; i += lanes()) {
      const V x = load_part(sums + r * n + i, n - i);
      if (to.is_bf16())
        store_part(x, to.row<bf16>(token + r) + head * n + i, n - i);
      else
        store_part(x, to.row<float>(token + r) + head * n + i, n - i);
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace pleat::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pleat::kernels::cpu {
namespace {

HWY_EXPORT(begin_block);
HWY_EXPORT(score_gradients);
HWY_EXPORT(end_block);
HWY_EXPORT(store_head);

BackwardScratch carve(Carver& carver, const AttentionShape& shape) {
  BackwardScratch scratch;
  const int64_t rows = shape.sequence * Product::packed_row_bytes(shape.n),
                panel = shape.padded_n() * kQueries * 4;
  for (auto* piece : {&scratch.keys, &scratch.values}) *piece = carver.bytes(rows);
  scratch.keys_turned = carver.bytes(shape.n * Product::packed_row_bytes(shape.sequence));
  for (auto* piece : {&scratch.q_turned, &scratch.do_turned, &scratch.q, &scratch.dout})
    *piece = carver.bytes(panel);
  for (auto* piece : {&scratch.dk, &scratch.dv}) *piece = carver.floats(shape.sequence * shape.n);
  BackwardBlock& block = scratch.block;
  for (auto* piece : {&block.scores, &block.dweights}) *piece = carver.floats(kKeyChunk * kQueries);
  for (auto* piece : {&block.weights, &block.dscores, &block.dscores_panel})
    *piece = carver.bytes(kKeyChunk * kQueries * 4);
  for (auto* piece : {&block.dq, &block.turned}) *piece = carver.floats(round_up(shape.n, 4) * kQueries);
  for (auto* piece : {&block.lse, &block.along}) *piece = carver.floats(kQueries);
  block.scale = shape.scale;
  return scratch;
}

/// One key-value head of one sample.
class BackwardTask {
 public:
  BackwardTask(const AttentionShape& shape, const Product& product, const Call& call, const Signature& s,
               int64_t sample, std::byte* scratch)
      : shape_(shape),
        product_(product),
        q_(s.reads[0], call.reads[0]),
        k_(s.reads[1], call.reads[1]),
        v_(s.reads[2], call.reads[2]),
        o_(s.reads[4], call.reads[4]),
        dout_(s.reads[6], call.reads[6]),
        dq_(s.writes[0], call.writes[0]),
        dk_(s.writes[1], call.writes[1]),
        dv_(s.writes[2], call.writes[2]),
        documents_(reinterpret_cast<const int32_t*>(call.reads[3]) + sample * shape.sequence),
        lse_(reinterpret_cast<const float*>(call.reads[5])),
        first_token_(sample * shape.sequence) {
    Carver carver(scratch);
    scratch_ = carve(carver, shape);
  }

  void run(int64_t kv_head) {
    const TileScope tiles(product_);
    const int64_t rows = shape_.sequence, elements = rows * shape_.n;
    keys_ = rows_of(k_, kv_head, scratch_.keys);
    values_ = rows_of(v_, kv_head, scratch_.values);
    product_.pack_rows(head_of(k_, first_token_, kv_head, shape_.n, true), 0, shape_.n, rows,
                       scratch_.keys_turned);
    std::fill(scratch_.dk, scratch_.dk + elements, 0.0f);
    std::fill(scratch_.dv, scratch_.dv + elements, 0.0f);
    const bool one_document = is_one_document(documents_, rows);
    for (int64_t query = 0; query < rows; query += kQueries) {
      const Sight sight{query, std::min(kQueries, rows - query), shape_.window, one_document, documents_};
      for (int64_t h = kv_head * shape_.group(); h < (kv_head + 1) * shape_.group(); ++h) attend(sight, h);
    }
    HWY_DYNAMIC_DISPATCH(store_head)(scratch_.dk, dk_, first_token_, kv_head, shape_.n, rows);
    HWY_DYNAMIC_DISPATCH(store_head)(scratch_.dv, dv_, first_token_, kv_head, shape_.n, rows);
  }

 private:
  struct Rows {
    const std::byte* data;
    int64_t stride;
  };

  Rows rows_of(const Field& x, int64_t head, std::byte* packed) const {
    const Matrix rows = head_of(x, first_token_, head, shape_.n, false);
    if (product_.reads_in_place(rows, shape_.n)) return {rows.data, rows.row_stride};
    product_.pack_rows(rows, 0, shape_.sequence, shape_.n, packed);
    return {packed, product_.packed_stride(shape_.n)};
  }

  void attend(const Sight& sight, int64_t head) {
    const BackwardBlock& b = scratch_.block;
    const int64_t token = first_token_ + sight.first_query, n = shape_.n;
    const Matrix q = head_of(q_, token, head, n, false), dout = head_of(dout_, token, head, n, false);
    product_.pack_panels(head_of(q_, token, head, n, true), n, 0, sight.queries, scratch_.q_turned);
    product_.pack_panels(head_of(dout_, token, head, n, true), n, 0, sight.queries, scratch_.do_turned);
    product_.pack_panels(q, sight.queries, 0, n, scratch_.q);
    product_.pack_panels(dout, sight.queries, 0, n, scratch_.dout);
    HWY_DYNAMIC_DISPATCH(begin_block)
    (b, o_, dout_, token, head, n, sight.queries, lse_ + token * shape_.heads + head, shape_.heads);
    for (int64_t key = sight.key_begin(); key < sight.key_end(); key += kKeyChunk)
      attend_chunk(sight, key, std::min(kKeyChunk, sight.key_end() - key));
    HWY_DYNAMIC_DISPATCH(end_block)(b, dq_, token, head, n, sight.queries);
  }

  void attend_chunk(const Sight& sight, int64_t key, int64_t keys) {
    const BackwardBlock& b = scratch_.block;
    const int64_t n = shape_.n, deep = product_.padded(n), element = product_.element_bytes();
    const int64_t depth = product_.padded(keys), across = product_.padded(sight.queries);
    product_.multiply(
        {keys, kQueries, deep, keys_.data + key * keys_.stride * element, keys_.stride, scratch_.q_turned},
        sums(b.scores, kQueries, false));
    product_.multiply({keys, kQueries, deep, values_.data + key * values_.stride * element, values_.stride,
                       scratch_.do_turned},
                      sums(b.dweights, kQueries, false));
    HWY_DYNAMIC_DISPATCH(score_gradients)(b, sight, key, keys, depth, product_.form() == Form::bf16);
    product_.multiply({keys, n, across, b.weights, kQueries, scratch_.dout},
                      sums(scratch_.dv + key * n, n, true));
    product_.multiply({keys, n, across, b.dscores, kQueries, scratch_.q},
                      sums(scratch_.dk + key * n, n, true));
    const std::byte* panel = product_.form() == Form::bf16 ? b.dscores_panel : b.dscores;
    product_.multiply({n, kQueries, depth, scratch_.keys_turned + key * element,
                       product_.packed_stride(shape_.sequence), panel},
                      sums(b.dq, kQueries, true));
  }

  static Destination sums(float* to, int64_t stride, bool add) {
    return {reinterpret_cast<std::byte*>(to), base::DType::f32, stride, add, true};
  }

  const AttentionShape& shape_;
  const Product& product_;
  Field q_, k_, v_, o_, dout_, dq_, dk_, dv_;
  const int32_t* documents_;
  const float* lse_;
  int64_t first_token_;
  BackwardScratch scratch_;
  Rows keys_{}, values_{};
};

}  // namespace

int64_t attention_grad_workspace(const Signature& s, int team_size) {
  Carver carver(nullptr);
  carve(carver, AttentionShape(s));
  return carver.used() * team_size;
}

KernelPtr make_attention_grad(const Signature& s, int team_size) {
  const AttentionShape shape(s);
  const Product product(s.reads[0].dtype);
  const int64_t scratch = attention_grad_workspace(s, team_size) / team_size;
  return make_kernel([=](const Call& call, Team& team) {
    team.run(shape.samples * shape.kv_heads, [&](int64_t index, int worker) {
      BackwardTask task(shape, product, call, s, index / shape.kv_heads, call.workspace + worker * scratch);
      task.run(index % shape.kv_heads);
    });
  });
}

}  // namespace pleat::kernels::cpu
#endif
