// SPDX-License-Identifier: Apache-2.0
// Row kernels against a copy of as many bytes by as many threads. `streams [threads]`.
#include <fmt/format.h>

#include <cstdlib>

#include "bound_kernel.h"
#include "rounds.h"

namespace pleat::bench {
namespace {

using base::DType;
using graph::Op;
using graph::OperandType;
using graph::Signature;

constexpr int64_t kTokens = 65536, kWidth = 512, kHead = 64, kVocabulary = 32000, kExperts = 16, kTopK = 2;

OperandType dense(DType dtype, std::initializer_list<int64_t> dims) {
  return OperandType::dense(dtype, base::Shape(dims));
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

struct Row {
  Signature signature;
  int route = -1;  // the operand that holds a route
};

std::vector<Row> rows_of(DType a) {
  const auto x = dense(a, {kTokens, kWidth}), two = dense(a, {kTokens, 2 * kWidth}),
             w = dense(DType::f32, {kWidth});
  const auto numbers = dense(DType::f32, {kTokens}), ids = dense(DType::i32, {kTokens});
  const int64_t tokens = kTokens / kTopK, bound = kTokens + kExperts * tokens / 8;
  const auto half = dense(a, {tokens, kWidth}), buffer = dense(a, {bound, kWidth});
  const auto route = dense(DType::i32, {tokens, kTopK}), weights = dense(DType::f32, {tokens, kTopK});
  const auto heads = dense(a, {kTokens, kWidth / kHead, kHead}), table = dense(DType::f32, {256, kHead});
  const auto logits = dense(a, {1024, kVocabulary}), per_row = dense(DType::f32, {1024}),
             targets = dense(DType::i32, {1024});
  return {{{Op::rms_norm, {{"eps", 1e-5}}, {x, w}, {x, numbers}}},
          {{Op::rms_norm_grad, {}, {x, w, numbers, x}, {x, w}}},
          {{Op::swiglu, {}, {two}, {x}}},
          {{Op::swiglu_grad, {}, {two, x}, {two}}},
          {{Op::rope, {{"inverse", int64_t{0}}}, {heads, ids, table}, {heads}}},
          {{Op::permute, {}, {half, route}, {buffer}}, 1},
          {{Op::unpermute, {}, {buffer, route}, {half}}, 1},
          {{Op::combine, {}, {buffer, route, weights}, {half}}, 1},
          {{Op::combine_grad, {}, {buffer, route, weights, half}, {buffer, weights}}, 1},
          {{Op::cross_entropy, {}, {logits, targets, per_row}, {per_row, per_row}}},
          {{Op::cross_entropy_grad, {}, {logits, targets, per_row, per_row, per_row}, {logits}}}};
}

Signature adamw() {
  const auto n = dense(DType::f32, {16 << 20});
  return {Op::adamw,
          {{"beta1", 0.9}, {"beta2", 0.95}, {"eps", 1e-8}, {"weight_decay", 0.1}},
          {n, dense(DType::f64, {1}), dense(DType::i32, {1}), dense(DType::f64, {8})},
          {n, n, n}};
}

/// Bytes that must move: routes touch only the rows they name, an update reads what it writes.
int64_t moved(const Row& row, const BoundKernel& kernel) {
  if (row.signature.op == Op::adamw) return 7 * row.signature.reads[0].bytes();
  if (row.route < 0) return kernel.bytes();
  const auto* types = &row.signature.reads;
  const int64_t element = base::size_of((*types)[0].dtype), rows = kTokens * kWidth * element;
  const int64_t half = rows / kTopK;
  return row.signature.op == Op::combine_grad ? 2 * rows + half : rows + half;
}

void compare(const Row& row, kernels::Team& team) {
  const BoundKernel ours(row.signature, team);
  if (row.route >= 0) fill_route(ours.read(static_cast<size_t>(row.route)), kTokens / kTopK);
  if (row.signature.op == Op::adamw) *reinterpret_cast<int32_t*>(ours.read(2)) = 1;
  const int64_t bytes = moved(row, ours);
  const Memory from(bytes / 2), to(bytes / 2);
  const auto copy = [&] {
    constexpr int64_t kPiece = 1 << 16;
    team.run((bytes / 2 + kPiece - 1) / kPiece, [&](int64_t i, int) {
      std::memcpy(to.data() + i * kPiece, from.data() + i * kPiece,
                  static_cast<size_t>(std::min(kPiece, bytes / 2 - i * kPiece)));
    });
  };
  const Ratio r = in_turns([&] { ours.run(); }, copy);
  const double gigabytes = 1e-9 * static_cast<double>(bytes);
  fmt::print("{:20} {:4} {} threads {:7.1f} MB: {:6.2f} GB/s, copy {:6.2f} GB/s, ratio {:.2f}\n",
             graph::name_of(row.signature.op), base::name_of(row.signature.reads[0].dtype), team.size(),
             gigabytes * 1e3, gigabytes / r.ours, gigabytes / r.other, r.speed);
}

}  // namespace
}  // namespace pleat::bench

int main(int count, char** arguments) {
  pleat::kernels::Team team(count > 1 ? std::atoi(arguments[1]) : 1);
  for (const auto dtype : {pleat::base::DType::f32, pleat::base::DType::bf16})
    for (const auto& row : pleat::bench::rows_of(dtype)) pleat::bench::compare(row, team);
  pleat::bench::compare({pleat::bench::adamw()}, team);
}
