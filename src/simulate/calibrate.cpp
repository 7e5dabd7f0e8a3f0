// SPDX-License-Identifier: Apache-2.0
// Factors from a run: what an operation took beyond its fixed cost, over what the roofline says.
#include <algorithm>
#include <cmath>

#include "simulate/simulate.h"

namespace pleat::simulate {
namespace {

// A measurement below the fixed cost of its calls asks for none of the roofline at all; and one instruction
// that the system disturbed for long is no reason to expect that again.
constexpr double kLeast = 0.01, kMost = 100;

}  // namespace

Calibration calibrate(const program::Program& program, const target::Target& target, const Options& options,
                      const std::array<int64_t, kOps>& measured_ns) {
  Options once = options;
  once.turns = 1;
  once.spans = false;
  once.duration = nullptr;
  Calibration calibration = options.calibration;
  for (const OpTime& time : simulate(program, target, once).by_operation) {
    const auto op = static_cast<size_t>(time.op);
    const double fixed =
        graph::is_communication(time.op) ? 0 : target.call_seconds * 1e9 * static_cast<double>(time.calls);
    const double scaled = static_cast<double>(time.ns) - fixed;
    if (measured_ns[op] <= 0 || scaled <= 0) continue;
    const double off = (static_cast<double>(measured_ns[op]) - fixed) / scaled;
    calibration.factor[op] = std::clamp(calibration.factor[op] * off, kLeast, kMost);
  }
  return calibration;
}

}  // namespace pleat::simulate
