// SPDX-License-Identifier: Apache-2.0
// Factors from measured times: with them the simulation spends what was measured, alone and in company.
#include <gtest/gtest.h>

#include <cmath>

#include "compiled.h"
#include "simulate/simulate.h"

namespace pleat::simulate {
namespace {

using program::Program;

constexpr auto kMatmul = static_cast<size_t>(graph::Op::matmul);

target::Target machine(int cores) {
  target::Target target;
  target.cores = cores;
  target.flops_f32 = target.flops_bf16 = 1e9;
  target.core_bandwidth = 1e9, target.memory_bandwidth = 1.5e9;
  target.call_seconds = 1e-7, target.message_seconds = 1e-6;
  return target;
}

std::array<int64_t, kOps> by_operation(const Result& result) {
  std::array<int64_t, kOps> ns{};
  for (const OpTime& time : result.by_operation) ns[static_cast<size_t>(time.op)] = time.ns;
  return ns;
}

double hidden_factor(size_t op) {
  return 1.5 + 0.25 * static_cast<double>(op % 7);
}

/// A machine of which nobody knows the factors: each operation is slower than its roofline in its own way.
Result measured_on(const Program& program, int cores) {
  Options hidden;
  for (size_t op = 0; op < kOps; ++op) hidden.calibration.factor[op] = hidden_factor(op);
  return simulate(program, machine(cores), hidden);
}

class Calibrate : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Cores, Calibrate, testing::Values(1, 2, 4));

TEST_P(Calibrate, GivesBackWhatWasMeasured) {
  const Program program = expert_program();
  const Result truth = measured_on(program, GetParam());
  const std::array<int64_t, kOps> measured = by_operation(truth);
  Options options;
  options.calibration = calibrate(program, machine(GetParam()), {}, measured);
  const Result result = simulate(program, machine(GetParam()), options);
  const std::array<int64_t, kOps> predicted = by_operation(result);
  for (size_t op = 0; op < kOps; ++op)  // each of a few hundred calls is rounded to a nanosecond
    EXPECT_NEAR(static_cast<double>(predicted[op]), static_cast<double>(measured[op]),
                0.005 * static_cast<double>(measured[op]) + 500)
        << graph::name_of(static_cast<graph::Op>(op));
  const double step = static_cast<double>(result.step_ns), true_step = static_cast<double>(truth.step_ns);
  EXPECT_NEAR(step, true_step, 0.005 * true_step);
  EXPECT_NEAR(options.calibration.factor[kMatmul], hidden_factor(kMatmul), 0.01);
}

TEST(CalibrateSome, ASecondRoundChangesNothing) {
  const Program program = expert_program();
  const std::array<int64_t, kOps> measured = by_operation(measured_on(program, 2));
  Options options;
  options.calibration = calibrate(program, machine(2), {}, measured);
  const Calibration again = calibrate(program, machine(2), options, measured);
  for (size_t op = 0; op < kOps; ++op) EXPECT_NEAR(again.factor[op], options.calibration.factor[op], 0.02);
}

TEST(CalibrateSome, WhatWasNotMeasuredKeepsItsFactor) {
  const Program program = expert_program();
  Options options;
  options.calibration.factor.fill(1.25);
  std::array<int64_t, kOps> measured{};
  measured[kMatmul] = 5'000'000;
  const Calibration calibration = calibrate(program, machine(4), options, measured);
  for (size_t op = 0; op < kOps; ++op) {
    if (op == kMatmul)
      EXPECT_NE(calibration.factor[op], 1.25);
    else
      EXPECT_EQ(calibration.factor[op], 1.25);
  }
}

TEST(CalibrateSome, FactorsStaySensible) {
  const Program program = expert_program();
  std::array<int64_t, kOps> measured{};
  measured[kMatmul] = 1;  // less than its calls alone
  EXPECT_GT(calibrate(program, machine(4), {}, measured).factor[kMatmul], 0);
  measured[kMatmul] = int64_t{3'600'000'000'000};
  EXPECT_LE(calibrate(program, machine(4), {}, measured).factor[kMatmul], 100);
}

}  // namespace
}  // namespace pleat::simulate
