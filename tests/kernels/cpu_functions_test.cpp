// SPDX-License-Identifier: Apache-2.0
// The vectorised functions over all of their range, seen through the kernels that use them.
#include <bit>
#include <cmath>
#include <limits>

#include "cpu_compare.h"

namespace pleat::kernels::testing {
namespace {

using base::DType;
using graph::Op;
using graph::OperandType;
using graph::Signature;

constexpr float kInf = std::numeric_limits<float>::infinity();

float* floats(const Buffer& buffer) {
  return reinterpret_cast<float*>(buffer.data());
}

/// e^x of each number: softmax - onehot with lse 0 and weight 1, away from the target, which is element 0.
std::vector<float> exponentials(const std::vector<float>& x) {
  const auto count = static_cast<int64_t>(x.size()) + 1;
  Signature s;
  s.op = Op::cross_entropy_grad;
  const auto one = OperandType::dense(DType::f32, {1});
  s.reads = {OperandType::dense(DType::f32, {1, count}), OperandType::dense(DType::i32, {1}), one, one, one};
  s.writes = {OperandType::dense(DType::f32, {1, count})};
  const Operands operands = empty_operands(s);
  std::copy(x.begin(), x.end(), floats(operands.reads[0]) + 1);
  *floats(operands.reads[2]) = 1;
  *floats(operands.reads[4]) = 1;
  Team team(1);
  Operands run = operands;
  run_cpu(s, run, team);
  const float* y = floats(run.writes[0]) + 1;
  return {y, y + x.size()};
}

class CpuExponential : public OnEveryVector {};
INSTANTIATE_TEST_SUITE_P(, CpuExponential, every_vector(), name_of_vector);

TEST_P(CpuExponential, IsWithinItsBoundEverywhere) {
  std::vector<float> x;
  for (uint32_t bits = 0; bits < 0x43000000u; bits += 499)  // 0, subnormal numbers, and up to 128
    for (const uint32_t sign : {0u, 0x80000000u}) x.push_back(std::bit_cast<float>(bits | sign));
  const std::vector<float> got = exponentials(x);
  for (size_t i = 0; i < x.size(); ++i) {
    double want = std::exp(static_cast<double>(x[i]));
    const double e = got[i];
    double bound = 4 * kUnit * want;
    if (x[i] < -87.33f) bound = x[i] < -87.69f ? 0 : want;
    if (x[i] < -87.69f) want = 0;
    if (x[i] > 88.37f) {
      EXPECT_GE(e, 2.3e38) << "e^" << x[i];
      EXPECT_TRUE(e == kInf || x[i] < 88.38f) << "e^" << x[i];
      continue;
    }
    ASSERT_LE(std::fabs(e - want), bound) << "e^" << x[i];
  }
}

TEST_P(CpuExponential, KeepsItsEnds) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> got = exponentials({0.0f, -0.0f, kInf, -kInf, nan, -nan, 3e38f, -3e38f});
  EXPECT_EQ(got[0], 1);
  EXPECT_EQ(got[1], 1);
  EXPECT_EQ(got[2], kInf);
  EXPECT_EQ(got[3], 0);
  EXPECT_TRUE(std::isnan(got[4]) && std::isnan(got[5]));
  EXPECT_EQ(got[6], kInf);
  EXPECT_EQ(got[7], 0);
}

/// log sum exp of one row.
float log_sum_exp(const std::vector<float>& x) {
  Signature s;
  s.op = Op::cross_entropy;
  const auto one = OperandType::dense(DType::f32, {1});
  s.reads = {OperandType::dense(DType::f32, {1, static_cast<int64_t>(x.size())}),
             OperandType::dense(DType::i32, {1}), one};
  s.writes = {one, one};
  Operands operands = empty_operands(s);
  std::copy(x.begin(), x.end(), floats(operands.reads[0]));
  Team team(1);
  run_cpu(s, operands, team);
  return *floats(operands.writes[1]);
}

double log_sum_exp_in_double(const std::vector<float>& x) {
  const double top = *std::max_element(x.begin(), x.end());
  double sum = 0;
  for (float v : x) sum += std::exp(v - top);
  return top + std::log(sum);
}

/// `count` logits that f gives.
template <class Function>
std::vector<float> logits(int count, Function f) {
  std::vector<float> x;
  for (int i = 0; i < count; ++i) x.push_back(static_cast<float>(f(i)));
  return x;
}

class CpuLogSumExp : public OnEveryVector {};
INSTANTIATE_TEST_SUITE_P(, CpuLogSumExp, every_vector(), name_of_vector);

TEST_P(CpuLogSumExp, FollowsLogitsThatRiseAndFall) {
  const std::vector<std::vector<float>> rows{
      logits(1, [](int) { return -3.0; }),
      logits(31, [](int i) { return i; }),
      logits(5000, [](int i) { return 0.1 * i; }),
      logits(5000, [](int i) { return -0.1 * i; }),
      logits(5000, [](int i) { return 7.0 * std::sin(i) - 900; }),
      logits(5001, [](int i) { return i == 5000 ? 1e4 : -1e4; }),
      logits(4099, [](int i) { return i < 2000 ? -HUGE_VAL : -500 - i % 7; }),
      logits(3000, [](int i) { return i == 1500 ? 3e38 : -3e38; }),
      logits(32000, [](int i) { return 12 * std::sin(0.37 * i); })};
  for (const auto& x : rows) {
    const double want = log_sum_exp_in_double(x);
    EXPECT_LE(std::fabs(log_sum_exp(x) - want), 8 * kUnit * std::max(8.0, std::fabs(want)))
        << x.size() << " logits, log sum exp " << want;
  }
}

TEST_P(CpuLogSumExp, OfInfinityOrNaNIsNotFinite) {
  for (const float bad : {kInf, std::numeric_limits<float>::quiet_NaN()})
    for (const int at : {0, 5, 1023, 1024, 2999}) {
      auto x = logits(3000, [](int i) { return std::sin(i); });
      x[static_cast<size_t>(at)] = bad;
      EXPECT_FALSE(std::isfinite(log_sum_exp(x))) << bad << " at " << at;
    }
}

}  // namespace
}  // namespace pleat::kernels::testing
