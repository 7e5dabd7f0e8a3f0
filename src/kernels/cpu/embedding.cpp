// SPDX-License-Identifier: Apache-2.0
// embedding, embedding_grad. The gradient sorts the tokens by id (stably, so in order of t) and then makes
// each row of the table in one go: summed from zero, stored or added once.
#include <algorithm>
#include <cstring>

#include "base/errors.h"
#include "kernels/cpu/field.h"
#include "kernels/cpu/make.h"

namespace pleat::kernels::cpu {
namespace {

void check_id(int32_t id, int64_t vocabulary, int64_t token) {
  if (id < 0 || id >= vocabulary)
    base::fail<base::CheckError>("embedding: token {} has id {}, outside the vocabulary of {}", token, id,
                                 vocabulary);
}

/// Tokens in order of id; first[v] to first[v + 1] are those of id v.
struct Sorted {
  int32_t* first;
  int32_t* tokens;
};

Sorted sort_by_id(const int32_t* ids, int64_t tokens, int64_t vocabulary, std::byte* workspace) {
  auto* first = reinterpret_cast<int32_t*>(workspace);
  auto* order = first + vocabulary + 2;
  std::fill(first, first + vocabulary + 2, 0);
  for (int64_t t = 0; t < tokens; ++t) {
    check_id(ids[t], vocabulary, t);
    ++first[ids[t] + 2];
  }
  for (int64_t v = 2; v < vocabulary + 2; ++v) first[v] += first[v - 1];
  for (int64_t t = 0; t < tokens; ++t) order[first[ids[t] + 1]++] = static_cast<int32_t>(t);
  return {first, order};
}

float number(float x) {
  return x;
}
float number(base::bf16 x) {
  return static_cast<float>(x);
}

/// One row of the gradient; kept in pieces so that a piece stays in registers and cache.
template <class T>
void sum_tokens(const Field& dy, const int32_t* tokens, int64_t count, int64_t width, float* to, bool add) {
  constexpr int64_t kPiece = 256;
  for (int64_t begin = 0; begin < width; begin += kPiece) {
    const int64_t piece = std::min(kPiece, width - begin);
    float sum[kPiece] = {};
    for (int64_t i = 0; i < count; ++i) {
      const T* row = dy.row<T>(tokens[i]) + begin;
      for (int64_t c = 0; c < piece; ++c) sum[c] += number(row[c]);
    }
    for (int64_t c = 0; c < piece; ++c) to[begin + c] = add ? to[begin + c] + sum[c] : sum[c];
  }
}

}  // namespace

KernelPtr make_embedding(const Signature& s, int) {
  return make_kernel([s](const Call& call, Team& team) {
    const Field table(s.reads[0], call.reads[0]), y(s.writes[0], call.writes[0]);
    const auto* ids = reinterpret_cast<const int32_t*>(call.reads[1]);
    const int64_t width = s.writes[0].shape[1], element = base::size_of(y.dtype);
    for_rows(team, s.writes[0].shape[0], width, [&](int64_t begin, int64_t end, int) {
      for (int64_t t = begin; t < end; ++t) {
        check_id(ids[t], s.reads[0].shape[0], t);
        std::memcpy(y.data + t * y.stride * element, table.data + ids[t] * table.stride * element,
                    static_cast<size_t>(width * element));
      }
    });
  });
}

int64_t embedding_grad_workspace(const Signature& s, int) {
  return (s.writes[0].shape[0] + 2 + s.reads[0].shape[0]) * static_cast<int64_t>(sizeof(int32_t));
}

KernelPtr make_embedding_grad(const Signature& s, int) {
  return make_kernel([s, accumulate = accumulates(s, 0)](const Call& call, Team& team) {
    const Field dy(s.reads[1], call.reads[1]), dtable(s.writes[0], call.writes[0]);
    const auto* ids = reinterpret_cast<const int32_t*>(call.reads[0]);
    const int64_t vocabulary = s.writes[0].shape[0], width = s.writes[0].shape[1];
    const Sorted sorted = sort_by_id(ids, s.reads[0].shape[0], vocabulary, call.workspace);
    const bool add = accumulate && !call.first;
    for_rows(team, vocabulary, width, [&](int64_t begin, int64_t end, int) {
      for (int64_t v = begin; v < end; ++v) {
        const int32_t* tokens = sorted.tokens + sorted.first[v];
        const int64_t count = sorted.first[v + 1] - sorted.first[v];
        if (dy.is_bf16())
          sum_tokens<base::bf16>(dy, tokens, count, width, dtable.row<float>(v), add);
        else
          sum_tokens<float>(dy, tokens, count, width, dtable.row<float>(v), add);
      }
    });
  });
}

}  // namespace pleat::kernels::cpu
