// SPDX-License-Identifier: Apache-2.0
// A row's result does not depend on the rows beside it: the same row alone, among 37 and among 300 gives the
// same bits. Layouts that cut the tokens differently are proved bit-equal by this.
#include <cstring>

#include "base/philox.h"
#include "cpu_compare.h"

namespace pleat::kernels::testing {
namespace {

using base::DType;
using base::Shape;
using graph::Op;
using graph::OperandType;
using graph::Signature;

constexpr int64_t kRow = 1;  // the row looked at, where there is one more before it

/// Numbers that depend on (row - first, column) only, so that the row looked at is the same in every batch.
void fill(const Buffer& buffer, int64_t first, std::string_view name) {
  const base::RandomStream random(11, name, "rows");
  const tensor::View view = buffer.view();
  for (int64_t r = 0; r < view.rows(); ++r)
    for (int64_t c = 0; c < view.columns(); ++c)
      view.set(r, c, 2 * random.uniform(static_cast<uint64_t>((r - first + 1000) * 100000 + c)) - 1);
}

std::vector<std::byte> row_bytes(const Buffer& buffer, int64_t row) {
  const int64_t bytes = buffer.type().shape.row_elements() * base::size_of(buffer.type().dtype);
  return {buffer.data() + row * bytes, buffer.data() + (row + 1) * bytes};
}

/// What the row at `at` of `rows` gives.
std::vector<std::byte> product_row(DType dtype, int64_t rows, int64_t at, int64_t n, int64_t k,
                                   bool transpose_b) {
  Signature s;
  s.op = Op::matmul;
  s.attributes = {{"transpose_a", int64_t{0}}, {"transpose_b", int64_t{transpose_b}}};
  s.reads = {OperandType::dense(dtype, {rows, k}),
             OperandType::dense(dtype, transpose_b ? Shape{n, k} : Shape{k, n})};
  s.writes = {OperandType::dense(dtype, {rows, n})};
  Operands operands = empty_operands(s);
  fill(operands.reads[0], at, "a");
  fill(operands.reads[1], 0, "b");
  Team team(1);
  run_cpu(s, operands, team);
  return row_bytes(operands.writes[0], at);
}

class CpuRows : public OnEveryVector {};
INSTANTIATE_TEST_SUITE_P(, CpuRows, every_vector(), name_of_vector);

TEST_P(CpuRows, OfAProductDoNotDependOnTheOthers) {
  struct Size {
    int64_t n, k;
  };
  for (const DType dtype : {DType::f32, DType::bf16})
    for (const Size size : {Size{33, 31}, Size{128, 128}, Size{70, 257}, Size{300, 1100}})
      for (const bool transpose_b : {false, true}) {
        SCOPED_TRACE(fmt::format("{} n {} k {}", base::name_of(dtype), size.n, size.k));
        const auto alone = product_row(dtype, 1, 0, size.n, size.k, transpose_b);
        for (const int64_t at : {0, 5, 36})
          EXPECT_EQ(alone, product_row(dtype, 37, at, size.n, size.k, transpose_b))
              << "row " << at << " of 37";
        for (const int64_t at : {0, 127, 128, 299})
          EXPECT_EQ(alone, product_row(dtype, 300, at, size.n, size.k, transpose_b))
              << "row " << at << " of 300";
        EXPECT_EQ(alone, product_row(dtype, 1100, 1090, size.n, size.k, transpose_b));
      }
}

/// The row at `at` of expert 1 of 3, which has `rows` rows; expert 0 has `before`.
std::vector<std::byte> expert_row(DType dtype, int32_t before, int32_t rows, int64_t at) {
  constexpr int64_t kTile = 8, n = 70, k = 96;
  const int64_t start = (before + kTile - 1) / kTile * kTile, bound = start + rows + 40;
  Signature s;
  s.op = Op::grouped_matmul;
  s.attributes = {{"transpose_b", int64_t{1}}, {"tile", kTile}};
  s.reads = {OperandType::dense(dtype, {bound, k}), OperandType::dense(dtype, {3, n, k}),
             OperandType::dense(DType::i32, {1, 3})};
  s.writes = {OperandType::dense(dtype, {bound, n})};
  Operands operands = empty_operands(s);
  fill(operands.reads[0], start + at, "x");
  fill(operands.reads[1], 0, "w");
  const int32_t counts[3] = {before, rows, 2};
  std::memcpy(operands.reads[2].data(), counts, sizeof counts);
  Team team(1);
  run_cpu(s, operands, team);
  return row_bytes(operands.writes[0], start + at);
}

TEST_P(CpuRows, OfAnExpertDoNotDependOnTheOthers) {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    const auto alone = expert_row(dtype, 0, 1, 0);
    EXPECT_EQ(alone, expert_row(dtype, 5, 37, 36));
    EXPECT_EQ(alone, expert_row(dtype, 17, 300, 131));
    EXPECT_EQ(alone, expert_row(dtype, 1100, 1030, 1029));
  }
}

/// The results for one sample at position `at` among `samples`.
std::vector<std::byte> sample_results(Op op, DType dtype, int64_t samples, int64_t at) {
  constexpr int64_t S = 77, H = 4, G = 2, N = 32;
  const int64_t T = samples * S;
  const auto heads = OperandType::dense(dtype, {T, H, N}), kv = OperandType::dense(dtype, {T, G, N});
  Signature s;
  s.op = op;
  s.attributes = {{"sequence", S}, {"window", int64_t{0}}, {"scale", 0.25}};
  s.reads = {heads, kv, kv, OperandType::dense(DType::i32, {T})};
  s.writes = {heads, OperandType::dense(DType::f32, {T, H})};
  if (op == Op::attention_grad) {
    s.reads.insert(s.reads.end(), {heads, OperandType::dense(DType::f32, {T, H}), heads});
    s.writes = {heads, kv, kv};
  }
  Operands operands = empty_operands(s);
  for (size_t i = 0; i < s.reads.size(); ++i)
    if (i != 3) fill(operands.reads[i], at * S, std::to_string(i));
  Team team(2);
  run_cpu(s, operands, team);
  std::vector<std::byte> bytes;
  for (const Buffer& result : operands.writes)
    for (int64_t row = at * S; row < (at + 1) * S; ++row) {
      const auto part = row_bytes(result, row);
      bytes.insert(bytes.end(), part.begin(), part.end());
    }
  return bytes;
}

TEST_P(CpuRows, OfASampleDoNotDependOnTheOthers) {
  for (const Op op : {Op::attention, Op::attention_grad})
    for (const DType dtype : {DType::f32, DType::bf16}) {
      const auto alone = sample_results(op, dtype, 1, 0);
      EXPECT_EQ(alone, sample_results(op, dtype, 5, 0)) << name_of(op);
      EXPECT_EQ(alone, sample_results(op, dtype, 5, 4)) << name_of(op);
    }
}

}  // namespace
}  // namespace pleat::kernels::testing
