// SPDX-License-Identifier: Apache-2.0
// What attention and its gradient share. Scores are held turned: a panel is 32 queries, a row one key, so
// that maxima, sums and masks run along the lanes, the weights of the keys are at once a packed panel for the
// next product, and no S x S matrix exists. Keys are taken in chunks counted from the start of the sample.
#pragma once
#include <algorithm>
#include <cstdint>

#include "kernels/cpu/field.h"
#include "kernels/cpu/product.h"
#include "kernels/cpu/tile.h"

namespace pleat::kernels::cpu {

inline constexpr int64_t kQueries = kPanelColumns;
inline constexpr int64_t kKeyChunk = 128;

struct AttentionShape {
  explicit AttentionShape(const graph::Signature& s)
      : sequence(s.attributes.integer("sequence")),
        window(s.attributes.integer("window")),
        scale(static_cast<float>(s.attributes.number("scale"))),
        samples(s.reads[0].shape[0] / sequence),
        heads(s.reads[0].shape[1]),
        kv_heads(s.reads[1].shape[1]),
        n(s.reads[0].shape[2]) {}
  int64_t group() const { return heads / kv_heads; }
  int64_t padded_n() const { return round_up(n, kDepthStep); }

  int64_t sequence, window;
  float scale;
  int64_t samples, heads, kv_heads, n;
};

/// Which keys the 32 queries from `first_query` see; positions are within the sample.
struct Sight {
  int64_t first_query = 0;
  int64_t queries = 0;  // of the 32
  int64_t window = 0;
  bool one_document = true;  // the whole sample is
  const int32_t* documents = nullptr;

  int64_t key_end() const { return first_query + queries; }
  int64_t key_begin() const {
    return window == 0 ? 0 : std::max<int64_t>(0, first_query - window + 1) / kKeyChunk * kKeyChunk;
  }
  /// How many of the keys [first, first + count) every query sees; the others must be masked.
  int64_t unmasked(int64_t first, int64_t count) const {
    const bool behind = window != 0 && first <= first_query + kQueries - 1 - window;
    if (!one_document || behind) return 0;
    return std::clamp<int64_t>(first_query + 1 - first, 0, count);
  }
};

/// A part of an operand: one head of the tokens from `token` on.
inline Matrix head_of(const Field& x, int64_t token, int64_t head, int64_t n, bool transposed) {
  return {x.data + (token * x.stride + head * n) * base::size_of(x.dtype), x.dtype, x.stride, transposed};
}

inline bool is_one_document(const int32_t* documents, int64_t count) {
  return std::all_of(documents, documents + count, [&](int32_t d) { return d == documents[0]; });
}

/// Hands out pieces of a worker's scratch, or only counts them (from nullptr).
class Carver {
 public:
  explicit Carver(std::byte* begin) : begin_(begin) {}
  std::byte* bytes(int64_t count) {
    std::byte* piece = begin_ == nullptr ? nullptr : begin_ + used_;
    used_ += round_up(count, 64);
    return piece;
  }
  float* floats(int64_t count) { return reinterpret_cast<float*>(bytes(count * 4)); }
  int64_t used() const { return used_; }

 private:
  std::byte* begin_;
  int64_t used_ = 0;
};

}  // namespace pleat::kernels::cpu
