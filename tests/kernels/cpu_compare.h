// SPDX-License-Identifier: Apache-2.0
// How far a fast kernel may be from ref: from the rounding of the store, the unit of fp32, the length of the
// longest sum and the size of its terms; and, in bf16 attention, the rounding of the weights on their way
// into a product.
#pragma once
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cmath>
#include <string>

#include "cases.h"
#include "kernels/cpu/cpu.h"

namespace pleat::kernels::testing {

/// A test of the fast kernels, for each set of vector instructions that they are compiled for and that this
/// processor has: an older processor must give right numbers too.
class OnEveryVector : public ::testing::TestWithParam<int64_t> {
 protected:
  OnEveryVector() {
    hwy::SetSupportedTargetsForTest(GetParam());
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
  ~OnEveryVector() override {
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

inline auto every_vector() {
  std::vector<int64_t> targets;
  for (const int64_t target : {HWY_AVX2, HWY_AVX3})
    if ((hwy::SupportedTargets() & target) != 0) targets.push_back(target);
  return ::testing::ValuesIn(targets);
}

inline std::string name_of_vector(const ::testing::TestParamInfo<int64_t>& target) {
  return hwy::TargetName(target.param);
}

inline constexpr double kUnit = 0x1p-24;      // relative error of one fp32 operation
inline constexpr double kBf16Unit = 0x1p-9;   // of one bf16 store
inline constexpr double kFunctionUnits = 16;  // exp, log, reciprocal: units of fp32 in their worst place

/// The longest sum behind an element of result `i`, and the largest sum of the sizes of its terms when
/// operands are in
/// (-1, 1).
struct Sum {
  double length = 1;
  double size = 1;
};

inline Sum sum_of(const graph::Signature& s, size_t i) {
  using graph::Op;
  const auto dim = [&](size_t operand, int d) { return static_cast<double>(s.reads[operand].shape[d]); };
  const auto last = [&](size_t operand) { return dim(operand, s.reads[operand].shape.dims() - 1); };
  const double rows = static_cast<double>(s.reads[0].shape.elements()) / last(0);
  switch (s.op) {
    case Op::column_sum:
      return {dim(0, 0), dim(0, 0)};
    case Op::embedding_grad:
      return {dim(0, 0), dim(0, 0)};
    case Op::rms_norm:
      return {last(0), 8};
    case Op::rms_norm_grad:
      return i == 0 ? Sum{last(0), 64} : Sum{rows, 8 * rows};
    case Op::matmul: {
      const double depth = dim(0, s.attributes.integer("transpose_a") != 0 ? 0 : 1);
      return {depth, depth};
    }
    case Op::grouped_matmul:
      return {dim(0, 1), dim(0, 1)};
    case Op::grouped_outer:
      return {dim(0, 0), dim(0, 0)};
    case Op::attention:
      return {static_cast<double>(s.attributes.integer("sequence")) + last(0), 4};
    case Op::attention_grad: {
      const double terms = static_cast<double>(s.attributes.integer("sequence")) * dim(0, 1) / dim(1, 1);
      return {terms + last(0), terms * last(0)};
    }
    case Op::cross_entropy:
      return {last(0), 8};
    case Op::router:
    case Op::router_grad:
      return {last(0), 8};
    case Op::combine_grad:
      return {last(0), last(0)};
    default:
      return {4, 8};
  }
}

inline double bound_of(const graph::Signature& s, size_t i, double reference) {
  const Sum sum = sum_of(s, i);
  double bound = (sum.length + kFunctionUnits) * sum.size * kUnit;
  const bool attends = s.op == graph::Op::attention || s.op == graph::Op::attention_grad;
  if (attends && s.reads[0].dtype == base::DType::bf16) bound += kBf16Unit * sum.size;
  // Both round, and a sum that lies near a tie may go the other way: one whole step of bf16.
  if (s.writes[i].dtype == base::DType::bf16) bound += 4 * kBf16Unit * std::fabs(reference);
  return bound + 4 * kUnit * std::fabs(reference);
}

inline void expect_close(const graph::Signature& s, const Operands& got, const Operands& want,
                         bool exact = false) {
  for (size_t i = 0; i < got.writes.size(); ++i) {
    const auto a = got.writes[i].numbers(), b = want.writes[i].numbers();
    ASSERT_EQ(a.size(), b.size());
    const bool whole = exact || !base::is_floating(s.writes[i].dtype);
    for (size_t n = 0; n < a.size(); ++n) {
      if (std::isnan(a[n]) && std::isnan(b[n])) continue;
      const double bound = whole ? 0 : bound_of(s, i, b[n]);
      ASSERT_LE(std::fabs(a[n] - b[n]), bound)
          << "result " << i << " element " << n << " of " << a.size() << ": " << a[n] << ", ref " << b[n];
    }
    EXPECT_TRUE(got.writes[i].surroundings_intact()) << "result " << i;
  }
}

inline bool same_bytes(const Buffer& a, const Buffer& b) {
  return std::memcmp(a.data(), b.data(), static_cast<size_t>(a.type().bytes())) == 0;
}

/// The catalogue row that serves a signature; empty when none does.
inline std::string cpu_row(const graph::Signature& s) {
  for (const char* name : {"cpu.panels", "cpu.simd"})
    if (cpu::serves(name, s, nullptr)) return name;
  return {};
}

inline void run_cpu(const graph::Signature& s, Operands& operands, Team& team, bool first = true) {
  run_kernel(cpu_row(s), s, operands, team, first, cpu::workspace_bytes(s, team.size()));
}

}  // namespace pleat::kernels::testing
