// SPDX-License-Identifier: Apache-2.0
#include "stream_cases.h"

#include <initializer_list>

namespace pleat::bench {
namespace {

using base::DType;
using graph::Op;
using graph::OperandType;
using graph::Signature;

constexpr int64_t kWidth = 512, kHead = 64, kPositions = 256, kVocabulary = 32000, kExperts = 16, kTopK = 2;
constexpr int64_t kSequence = 1024, kSamples = 4, kHeads = 8, kKvHeads = 4;

OperandType dense(DType dtype, std::initializer_list<int64_t> dims) {
  return OperandType::dense(dtype, base::Shape(dims));
}

/// Every row kernel moves 256 MB or more, so that the copy of as many bytes reads 128 MB: no cache holds it.
int64_t tokens_of(DType dtype) {
  return (int64_t{1} << 18) / base::size_of(dtype);
}

/// Rows as a route gives them: tokens spread over experts by a hash, each expert's rows in order of the
/// tokens.
void fill_route(std::byte* rows, int64_t tokens) {
  int64_t next[kExperts];
  for (int64_t e = 0; e < kExperts; ++e) next[e] = e * (tokens * kTopK / kExperts + tokens / 8);
  for (int64_t i = 0; i < tokens * kTopK; ++i)
    reinterpret_cast<int32_t*>(rows)[i] =
        static_cast<int32_t>(next[(static_cast<uint32_t>(i) * 2654435761u >> 16) % kExperts]++);
}

void add_rows(DType a, std::vector<StreamCase>& cases) {
  const int64_t T = tokens_of(a);
  const auto x = dense(a, {T, kWidth}), two = dense(a, {T, 2 * kWidth}), w = dense(DType::f32, {kWidth});
  const auto numbers = dense(DType::f32, {T}), ids = dense(DType::i32, {T});
  const auto heads = dense(a, {T, kWidth / kHead, kHead}), table = dense(DType::f32, {kPositions, kHead});
  cases.push_back({{Op::rms_norm, {{"eps", 1e-5}}, {x, w}, {x, numbers}}});
  cases.push_back({{Op::rms_norm_grad, {}, {x, w, numbers, x}, {x, w}}});
  cases.push_back({{Op::rope, {{"inverse", int64_t{0}}}, {heads, ids, table}, {heads}}});
  cases.push_back({{Op::rope, {{"inverse", int64_t{1}}}, {heads, ids, table}, {heads}}});
  cases.push_back({{Op::swiglu, {}, {two}, {x}}});
  cases.push_back({{Op::swiglu_grad, {}, {two, x}, {two}}});
}

void add_routes(DType a, std::vector<StreamCase>& cases) {
  const int64_t T = tokens_of(a), bound = kTopK * T + kExperts * T / 8;
  const auto tokens = dense(a, {T, kWidth}), buffer = dense(a, {bound, kWidth});
  const auto route = dense(DType::i32, {T, kTopK}), weights = dense(DType::f32, {T, kTopK});
  cases.push_back({{Op::permute, {}, {tokens, route}, {buffer}}, 0.6, 1});
  cases.push_back({{Op::unpermute, {}, {buffer, route}, {tokens}}, 0.6, 1});
  cases.push_back({{Op::combine, {}, {buffer, route, weights}, {tokens}}, 0.6, 1});
  cases.push_back({{Op::combine_grad, {}, {buffer, route, weights, tokens}, {buffer, weights}}, 0.6, 1});
}

void add_losses(DType a, std::vector<StreamCase>& cases) {
  const int64_t T = tokens_of(a) / 32;
  const auto logits = dense(a, {T, kVocabulary}), per_row = dense(DType::f32, {T}),
             targets = dense(DType::i32, {T});
  cases.push_back({{Op::cross_entropy, {}, {logits, targets, per_row}, {per_row, per_row}}, 0.5});
  cases.push_back(
      {{Op::cross_entropy_grad, {}, {logits, targets, per_row, per_row, per_row}, {logits}}, 0.5});
}

void add_attention(DType a, std::vector<StreamCase>& cases) {
  const int64_t T = kSamples * kSequence;
  const auto q = dense(a, {T, kHeads, kHead}), kv = dense(a, {T, kKvHeads, kHead});
  const auto documents = dense(DType::i32, {T}), lse = dense(DType::f32, {T, kHeads});
  const graph::Attributes attributes{{"sequence", kSequence}, {"window", int64_t{0}}, {"scale", 0.125}};
  // Half of the scores are masked. Forward has two products per score, backward five.
  const double product = 2.0 * static_cast<double>(T * kHeads * kHead) * kSequence / 2;
  cases.push_back({{Op::attention, attributes, {q, kv, kv, documents}, {q, lse}}, 0, -1, 2 * product});
  cases.push_back(
      {{Op::attention_grad, attributes, {q, kv, kv, documents, q, lse, q}, {q, kv, kv}}, 0, -1, 5 * product});
}

}  // namespace

std::vector<StreamCase> stream_cases(DType activations) {
  std::vector<StreamCase> cases;
  add_rows(activations, cases);
  add_routes(activations, cases);
  add_losses(activations, cases);
  add_attention(activations, cases);
  return cases;
}

std::vector<StreamCase> stream_cases_of_numbers() {
  const auto n = dense(DType::f32, {16 << 20});
  const int64_t T = 1 << 20;
  const auto experts = dense(DType::f32, {T, kExperts}), chosen = dense(DType::f32, {T, kTopK}),
             indices = dense(DType::i32, {T, kTopK}), lse = dense(DType::f32, {T});
  return {{{Op::adamw,
            {{"beta1", 0.9}, {"beta2", 0.95}, {"eps", 1e-8}, {"weight_decay", 0.1}},
            {n, dense(DType::f64, {1}), dense(DType::i32, {1}), dense(DType::f64, {8})},
            {n, n, n}}},
          {{Op::router,
            {{"top_k", kTopK}, {"renormalise", int64_t{1}}},
            {experts},
            {experts, chosen, indices, lse}},
           0}};
}

void prepare(const StreamCase& test_case, const BoundKernel& kernel) {
  const auto route = static_cast<size_t>(test_case.route);
  if (test_case.route >= 0) fill_route(kernel.read(route), test_case.signature.reads[route].shape[0]);
  if (test_case.signature.op == Op::adamw) *reinterpret_cast<int32_t*>(kernel.read(2)) = 1;
}

int64_t moved_bytes(const StreamCase& test_case, const BoundKernel& kernel) {
  const auto& s = test_case.signature;
  if (s.op == Op::adamw) return 7 * s.reads[0].bytes();
  if (test_case.route < 0) return kernel.bytes();
  const int64_t tokens = s.reads[1].shape[0] * kWidth * base::size_of(s.reads[0].dtype);
  return s.op == Op::combine_grad ? (2 * kTopK + 1) * tokens : (kTopK + 1) * tokens;
}

}  // namespace pleat::bench
