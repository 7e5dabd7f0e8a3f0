// SPDX-License-Identifier: Apache-2.0
// Every fast kernel against ref over the case table: close for uniform numbers, equal for whole ones, the
// same bits for every team, the whole contribution added once, nothing written beside the results.
#include <cstring>
#include <set>
#include <utility>

#include "cpu_compare.h"

namespace pleat::kernels::testing {
namespace {

using base::DType;
using graph::Op;

/// A strided case with those operands dense that the fast kernel wants dense.
Case as_strided_as_served(Case test_case) {
  graph::Signature& s = test_case.signature;
  const graph::Signature asked = s;
  for (auto* types : {&s.reads, &s.writes})
    for (auto& type : *types) type = graph::OperandType::dense(type.dtype, type.shape);
  for (size_t i = 0; i < s.reads.size(); ++i) {
    const auto dense = std::exchange(s.reads[i], asked.reads[i]);
    if (cpu_row(s).empty()) s.reads[i] = dense;
  }
  for (size_t i = 0; i < s.writes.size(); ++i) {
    const auto dense = std::exchange(s.writes[i], asked.writes[i]);
    if (cpu_row(s).empty()) s.writes[i] = dense;
  }
  return test_case;
}

std::vector<Case> served_cases() {
  std::vector<Case> served;
  for (const Case& test_case : cases()) {
    Case candidate = cpu_row(test_case.signature).empty() ? as_strided_as_served(test_case) : test_case;
    if (!cpu_row(candidate.signature).empty()) served.push_back(std::move(candidate));
  }
  return served;
}

class CpuCases : public OnEveryVector {};
INSTANTIATE_TEST_SUITE_P(, CpuCases, every_vector(), name_of_vector);

TEST_P(CpuCases, ServeEveryHotOperationInF32AndBf16) {
  std::set<std::pair<Op, DType>> served;
  for (const Case& test_case : served_cases())
    for (const auto& type : test_case.signature.reads) served.insert({test_case.signature.op, type.dtype});
  for (const Op op : {Op::matmul,
                      Op::grouped_matmul,
                      Op::grouped_outer,
                      Op::rms_norm,
                      Op::rms_norm_grad,
                      Op::rope,
                      Op::swiglu,
                      Op::swiglu_grad,
                      Op::attention,
                      Op::attention_grad,
                      Op::cross_entropy,
                      Op::permute,
                      Op::unpermute,
                      Op::combine,
                      Op::combine_grad,
                      Op::cast,
                      Op::add,
                      Op::scale,
                      Op::add_bias,
                      Op::column_sum,
                      Op::embedding_grad,
                      Op::embedding,
                      Op::cross_entropy_grad})
    EXPECT_TRUE(served.contains({op, DType::f32}) && served.contains({op, DType::bf16})) << name_of(op);
  for (const Op op :
       {Op::router, Op::router_grad, Op::router_sums, Op::adamw, Op::sum_squares, Op::token_sum})
    EXPECT_TRUE(served.contains({op, DType::f32})) << name_of(op);
}

TEST_P(CpuCases, AreCloseToRef) {
  Team team(1);
  for (const Case& test_case : served_cases()) {
    SCOPED_TRACE(test_case.name);
    Operands got = operands_of(test_case), want = operands_of(test_case);
    run_cpu(test_case.signature, got, team);
    run_kernel("ref", test_case.signature, want, team);
    expect_close(test_case.signature, got, want);
  }
}

TEST_P(CpuCases, EqualRefOnWholeNumbers) {
  const std::set<Op> exact{Op::matmul,  Op::grouped_matmul, Op::grouped_outer, Op::add,
                           Op::cast,    Op::add_bias,       Op::column_sum,    Op::embedding,
                           Op::permute, Op::unpermute,      Op::token_sum,     Op::sum_squares,
                           Op::combine, Op::embedding_grad};
  Team team(1);
  for (const Case& test_case : served_cases()) {
    if (!exact.contains(test_case.signature.op)) continue;
    SCOPED_TRACE(test_case.name);
    Operands got = operands_of(test_case, Fill::integers), want = operands_of(test_case, Fill::integers);
    run_cpu(test_case.signature, got, team);
    run_kernel("ref", test_case.signature, want, team);
    expect_close(test_case.signature, got, want, true);
  }
}

TEST_P(CpuCases, GiveTheSameBitsForEveryTeam) {
  Team one(1), two(2), three(3);
  for (const Case& test_case : served_cases()) {
    SCOPED_TRACE(test_case.name);
    Operands alone = operands_of(test_case);
    run_cpu(test_case.signature, alone, one);
    for (Team* team : {&two, &three}) {
      Operands shared = operands_of(test_case);
      run_cpu(test_case.signature, shared, *team);
      for (size_t i = 0; i < alone.writes.size(); ++i)
        EXPECT_TRUE(same_bytes(alone.writes[i], shared.writes[i]))
            << "team of " << team->size() << ", result " << i;
    }
  }
}

TEST_P(CpuCases, AddTheWholeContributionOnce) {
  Team team(2);
  size_t tried = 0;
  for (const Case& test_case : served_cases()) {
    const auto& s = test_case.signature;
    if (s.accumulates == 0) continue;
    SCOPED_TRACE(test_case.name);
    ++tried;
    Operands once = operands_of(test_case), twice = operands_of(test_case);
    run_cpu(s, once, team);
    run_cpu(s, twice, team);
    run_cpu(s, twice, team, false);
    for (size_t i = 0; i < once.writes.size(); ++i) {
      if (((s.accumulates >> i) & 1u) == 0) continue;
      const auto single = once.writes[i].numbers(), both = twice.writes[i].numbers();
      for (size_t n = 0; n < single.size(); ++n) ASSERT_EQ(both[n], 2 * single[n]) << "element " << n;
    }
  }
  EXPECT_GT(tried, 10u);
}

TEST_P(CpuCases, RefuseTooLittleWorkspaceAndF64) {
  for (const Case& test_case : cases()) {
    const auto& s = test_case.signature;
    std::string reason;
    const std::string row = cpu_row(s);
    if (row.empty()) continue;
    const int64_t bytes = cpu::workspace_bytes(s, 2);
    if (bytes > 0) {
      EXPECT_THROW(cpu::bind(row, s, bytes - 1, 2), base::CheckError) << test_case.name;
    }
    graph::Signature wide = s;
    for (auto* types : {&wide.reads, &wide.writes})
      for (auto& type : *types)
        if (base::is_floating(type.dtype)) type.dtype = DType::f64;
    if (wide == s) continue;  // whole numbers only
    EXPECT_FALSE(cpu::serves(row, wide, &reason)) << test_case.name;
    EXPECT_FALSE(reason.empty());
  }
}

}  // namespace
}  // namespace pleat::kernels::testing
