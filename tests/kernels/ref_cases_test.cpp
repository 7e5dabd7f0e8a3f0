// SPDX-License-Identifier: Apache-2.0
// The case table itself: complete, deterministic, and answered by the reference kernels as the contract says.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>

#include "cases.h"
#include "kernels/ref/ref.h"

namespace pleat::kernels::testing {
namespace {

using base::DType;
using graph::Op;

bool same_bytes(const Buffer& a, const Buffer& b) {
  return std::memcmp(a.data(), b.data(), static_cast<size_t>(a.type().bytes())) == 0;
}

TEST(Cases, HaveEveryComputingOperationInEachDtypeAndNamesOfTheirOwn) {
  std::set<std::string> names;
  std::set<std::pair<Op, DType>> seen;
  for (const Case& test_case : cases()) {
    EXPECT_TRUE(names.insert(test_case.name).second) << test_case.name << " occurs twice";
    for (const auto* types : {&test_case.signature.reads, &test_case.signature.writes})
      for (const auto& type : *types) seen.insert({test_case.signature.op, type.dtype});
  }
  for (size_t i = 0; i < static_cast<size_t>(Op::count_); ++i) {
    const Op op = static_cast<Op>(i);
    if (!ref::computes(op) || op == Op::clip || op == Op::route || op == Op::expert_counts) continue;
    EXPECT_TRUE(seen.contains({op, DType::f32}) && seen.contains({op, DType::f64})) << name_of(op);
  }
}

TEST(Cases, AreServedByRefWhichWritesNothingElse) {
  Team team(1);
  for (const Case& test_case : cases()) {
    SCOPED_TRACE(test_case.name);
    const Operands before = operands_of(test_case);
    Operands after = operands_of(test_case);
    for (size_t i = 0; i < before.reads.size(); ++i) EXPECT_TRUE(same_bytes(before.reads[i], after.reads[i]));
    run_kernel("ref", test_case.signature, after, team);
    for (size_t i = 0; i < before.reads.size(); ++i) EXPECT_TRUE(same_bytes(before.reads[i], after.reads[i]));
    for (const Buffer& result : after.writes) {
      EXPECT_TRUE(result.surroundings_intact());
      for (double number : result.numbers()) ASSERT_TRUE(std::isfinite(number));
    }
  }
}

TEST(Cases, StridedAnswersEqualDenseOnes) {
  Team team(1);
  size_t compared = 0;
  for (const Case& test_case : cases()) {
    if (!test_case.name.ends_with(" strided")) continue;
    SCOPED_TRACE(test_case.name);
    Case dense = test_case;  // the same name, so the same operands
    for (auto* types : {&dense.signature.reads, &dense.signature.writes})
      for (auto& type : *types) type.row_stride = type.shape.row_elements();
    Operands a = operands_of(test_case), b = operands_of(dense);
    run_kernel("ref", test_case.signature, a, team);
    run_kernel("ref", dense.signature, b, team);
    for (size_t i = 0; i < a.writes.size(); ++i) EXPECT_EQ(a.writes[i].numbers(), b.writes[i].numbers());
    ++compared;
  }
  EXPECT_GT(compared, 100u);
}

TEST(Cases, AccumulationAddsTheStoredContributionOnce) {
  Team team(1);
  size_t compared = 0;
  for (const Case& test_case : cases()) {
    if (test_case.signature.accumulates == 0) continue;
    SCOPED_TRACE(test_case.name);
    Operands stored = operands_of(test_case), added = operands_of(test_case);
    run_kernel("ref", test_case.signature, stored, team, true);
    run_kernel("ref", test_case.signature, added, team, false);
    for (size_t w = 0; w < stored.writes.size(); ++w) {
      const bool accumulates = (test_case.signature.accumulates >> w & 1) != 0;
      std::vector<double> expected = stored.writes[w].numbers();
      if (accumulates)
        for (double& number : expected)
          number = stored.writes[w].type().dtype == DType::f32
                       ? static_cast<double>(static_cast<float>(kUntouched) + static_cast<float>(number))
                       : kUntouched + number;
      EXPECT_EQ(added.writes[w].numbers(), expected);
    }
    ++compared;
  }
  EXPECT_GT(compared, 20u);
}

}  // namespace
}  // namespace pleat::kernels::testing
