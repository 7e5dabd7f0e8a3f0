// SPDX-License-Identifier: Apache-2.0
// Factors from a run. What an operation took there depends on who else ran meanwhile, and that on all the
// other factors: so the simulation itself says how much longer an operation takes in company than alone, and
// the factors are found in a few rounds.
#include <algorithm>

#include "simulate/simulate.h"

namespace pleat::simulate {
namespace {

// Each round removes most of what is left: the share of the cores hardly depends on one factor.
constexpr int kRounds = 6;
// A measurement below the fixed cost of its calls asks for none of the roofline at all; and one instruction
// that the system kept from its core for long is no reason to expect that again.
constexpr double kLeast = 0.01, kMost = 100;

}  // namespace

Calibration calibrate(const program::Program& program, const target::Target& target, Options options,
                      const std::array<int64_t, kOps>& measured_ns) {
  options.spans = false;
  options.duration = nullptr;
  for (int round = 0; round < kRounds; ++round) {
    const Result result = simulate(program, target, options);
    for (const OpTime& time : result.by_operation) {
      const auto op = static_cast<size_t>(time.op);
      if (graph::is_communication(time.op) || measured_ns[op] <= 0 || time.ran_ns <= 0) continue;
      const double off = static_cast<double>(measured_ns[op]) / static_cast<double>(time.ran_ns);
      options.calibration.factor[op] = std::clamp(options.calibration.factor[op] * off, kLeast, kMost);
    }
  }
  return options.calibration;
}

}  // namespace pleat::simulate
