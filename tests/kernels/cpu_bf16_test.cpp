// SPDX-License-Identifier: Apache-2.0
// The vectorised store of bf16 over all of its range, and NaN through every kernel.
#include <bit>
#include <cmath>
#include <cstring>

#include "cpu_compare.h"

namespace pleat::kernels::testing {
namespace {

using base::bf16;
using base::DType;
using graph::Op;
using graph::OperandType;
using graph::Signature;

class CpuBf16 : public OnEveryVector {};
INSTANTIATE_TEST_SUITE_P(, CpuBf16, every_vector(), name_of_vector);

TEST_P(CpuBf16, RoundsToNearestEvenAndKeepsNaN) {
  constexpr int64_t kAll = 65536;
  for (const uint32_t low : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
    Signature s;
    s.op = Op::cast;
    s.reads = {OperandType::dense(DType::f32, {kAll + 3})};  // not a whole number of vectors
    s.writes = {OperandType::dense(DType::bf16, {kAll + 3})};
    Operands operands = empty_operands(s);
    auto* from = reinterpret_cast<uint32_t*>(operands.reads[0].data());
    for (int64_t i = 0; i < kAll + 3; ++i) from[i] = static_cast<uint32_t>(i) << 16 | low;
    Team team(1);
    run_cpu(s, operands, team);
    const auto* to = reinterpret_cast<const bf16*>(operands.writes[0].data());
    for (int64_t i = 0; i < kAll + 3; ++i)
      ASSERT_EQ(to[i].bits, bf16::round_bits(from[i])) << i << " low " << low;
  }
}

TEST_P(CpuBf16, NaNIsNeverLost) {
  for (const Case& test_case : cases()) {
    const Signature& s = test_case.signature;
    if (cpu_row(s).empty() ||
        !(s.op == Op::matmul || s.op == Op::attention || s.op == Op::cross_entropy || s.op == Op::swiglu ||
          s.op == Op::rms_norm || s.op == Op::router || s.op == Op::add))
      continue;
    SCOPED_TRACE(test_case.name);
    Operands operands = operands_of(test_case);
    operands.reads[0].view().set(0, 0, std::nan(""));
    Team team(1);
    run_cpu(s, operands, team);
    bool seen = false;
    for (const Buffer& result : operands.writes)
      for (const double number : result.numbers()) seen = seen || std::isnan(number);
    EXPECT_TRUE(seen);
  }
}

}  // namespace
}  // namespace pleat::kernels::testing
