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

std::array<int64_t, kOps> ran_by_operation(const Result& result) {
  std::array<int64_t, kOps> ns{};
  for (const OpTime& time : result.by_operation) ns[static_cast<size_t>(time.op)] = time.ran_ns;
  return ns;
}

/// A machine of which nobody knows the factors: each operation is slower than its roofline in its own way.
Result measured_on(const Program& program, int cores) {
  Options hidden;
  for (size_t op = 0; op < kOps; ++op)
    hidden.calibration.factor[op] = 1.5 + 0.25 * static_cast<double>(op % 7);
  return simulate(program, machine(cores), hidden);
}

class Calibrate : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Cores, Calibrate, testing::Values(1, 2, 4));

/// The transports were slower too, which no factor knows of; and who runs beside whom shifts with every
/// factor, so that small operations come out less exactly than the whole.
TEST_P(Calibrate, GivesBackWhatWasMeasured) {
  const Program program = expert_program();
  const Result truth = measured_on(program, GetParam());
  const std::array<int64_t, kOps> measured = ran_by_operation(truth);
  const auto off = [&](const Result& result) {
    const std::array<int64_t, kOps> ran = ran_by_operation(result);
    double wrong = 0, all = 0;
    for (size_t op = 0; op < kOps; ++op) {
      if (graph::is_communication(static_cast<graph::Op>(op))) continue;
      wrong += std::abs(static_cast<double>(ran[op] - measured[op]));
      all += static_cast<double>(measured[op]);
    }
    return wrong / all;
  };
  Options options;
  options.calibration = calibrate(program, machine(GetParam()), {}, measured);
  const Result result = simulate(program, machine(GetParam()), options);
  EXPECT_GT(off(simulate(program, machine(GetParam()))), 0.15) << "before";
  EXPECT_LT(off(result), 0.03);
  const double step = static_cast<double>(result.step_ns), true_step = static_cast<double>(truth.step_ns);
  EXPECT_NEAR(step, true_step, 0.1 * true_step);
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
