// SPDX-License-Identifier: Apache-2.0
// Twenty steps of training as a file: whoever changes the model, the optimizer, the order of the data or a
// formula sees here that the curve moved. In fp64 every inexact kernel is the reference, so the curve is the
// same on every processor up to rounding. How far rounding may move a value is not typed in but measured: the
// job is run again with its learning rate, and with its initial weights, off by a known part, and the bound
// is what that does to the value, scaled down to the rounding of the longest sum. PLEAT_REWRITE=1 in the
// environment writes the file anew; the diff is reviewed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>

#include "../equivalence/tiny_job.h"
#include "compile/compile.h"
#include "train/metrics.h"
#include "train/request.h"
#include "train/train.h"

namespace pleat::train {
namespace {

using Curve = std::vector<StepMetrics>;

const std::string kGolden = PLEAT_SOURCE_DIR "/tests/goldens/experts-20-steps.jsonl";
constexpr size_t kSteps = 20;
constexpr double kNudge = 1.0 / (int64_t{1} << 30);  // small enough to be linear, large beside rounding

/// What a processor may do differently in one value: half an epsilon for each term of the longest sum, over
/// the tokens of a step and the vocabulary.
constexpr double kRounding =
    8.0 * testing::kSequence * testing::kVocabulary * std::numeric_limits<double>::epsilon() / 2;

Host still_host() {
  Host host;
  host.clock = host.wall = [] { return 0.0; };
  host.resident_bytes = [] { return int64_t{0}; };
  host.say = [](std::string_view) {};
  host.target = [] { return target::Target{}; };
  return host;
}

class GoldenCurve : public ::testing::Test {
 protected:
  GoldenCurve() { testing::write_tokens(folder_ / "tokens"); }

  config::Job job(std::vector<std::string> overrides = {}) const {
    const auto directory = folder_ / fmt::format("run{}", overrides.empty() ? "" : overrides[0]);
    std::vector<std::string> all{"run.directory=" + directory.string(),
                                 fmt::format("train.steps={}", kSteps),
                                 "precision=fp64",
                                 "layout.pp=2",
                                 "layout.dp=2",
                                 "layout.ep=2"};
    all.insert(all.end(), overrides.begin(), overrides.end());
    return testing::tiny_job(testing::TinyModel::balanced, folder_ / "tokens", all);
  }

  /// As metrics.jsonl has it, without times.
  Curve curve(std::vector<std::string> overrides = {}) const {
    const config::Job job = this->job(std::move(overrides));
    train(job, {}, still_host());
    Curve steps = read_metrics(std::filesystem::path(job.run.directory) / "metrics.jsonl");
    for (StepMetrics& step : steps) step.seconds = step.tokens_per_s = 0;
    return steps;
  }

 private:
  testing::TemporaryFolder folder_;
};

/// The values of a step that come out of arithmetic.
std::vector<std::pair<std::string, double>> values_of(const StepMetrics& step) {
  std::vector<std::pair<std::string, double>> values{
      {"loss", step.loss}, {"grad_norm", step.grad_norm}, {"router_balance", step.balance.value_or(0)}};
  values.insert(values.end(), step.auxiliary.begin(), step.auxiliary.end());
  return values;
}

void write_golden(const Curve& curve) {
  std::ofstream file(kGolden);
  for (const StepMetrics& step : curve) file << to_json_line(step) << "\n";
}

/// By step and value, how much it moves when all inputs of a step move by their rounding.
std::vector<std::vector<double>> bounds(const Curve& base, const std::vector<Curve>& nudged) {
  std::vector<std::vector<double>> all;
  for (size_t step = 0; step < base.size(); ++step) {
    const auto values = values_of(base[step]);
    std::vector<double>& bound = all.emplace_back();
    for (size_t i = 0; i < values.size(); ++i) {
      double moved = std::abs(values[i].second);
      for (const Curve& other : nudged)
        moved += std::abs(values_of(other[step])[i].second - values[i].second) / kNudge;
      bound.push_back(kRounding * moved);
    }
  }
  return all;
}

/// The first value that lies outside its bound, in words; "" when there is none.
std::string first_difference(const Curve& have, const Curve& want,
                             const std::vector<std::vector<double>>& bounds) {
  for (size_t step = 0; step < want.size(); ++step) {
    const auto a = values_of(have[step]), b = values_of(want[step]);
    for (size_t i = 0; i < b.size(); ++i)
      if (!(std::abs(a[i].second - b[i].second) <= bounds[step][i]))
        return fmt::format("step {}, {}: {} and not {}, which is {:.3g} off; rounding may do {:.3g}",
                           step + 1, b[i].first, a[i].second, b[i].second,
                           std::abs(a[i].second - b[i].second), bounds[step][i]);
  }
  return "";
}

/// Integers, and the sum of weights that are all 1, are exact whatever the kernel.
bool is_exact(const program::Instruction& instruction) {
  if (instruction.op == graph::Op::token_sum) return true;
  const auto is_integer = [](const program::Region& r) { return r.type.dtype == base::DType::i32; };
  return std::all_of(instruction.reads.begin(), instruction.reads.end(), is_integer) &&
         std::all_of(instruction.results.begin(), instruction.results.end(),
                     [&](const program::Result& result) { return is_integer(result.region); });
}

TEST_F(GoldenCurve, ItsKernelsAreTheReference) {
  const program::Program program = compile::compile(train_request(job(), 1));
  for (const program::Segment& segment : program.segments)
    for (const program::Instruction& instruction : segment.instructions)
      EXPECT_TRUE(instruction.kernel.empty() || instruction.kernel.starts_with("ref") ||
                  is_exact(instruction))
          << program::to_text(instruction);
}

TEST_F(GoldenCurve, TwentyStepsOfExpertsOnFourRanks) {
  const Curve have = curve();
  if (std::getenv("PLEAT_REWRITE") != nullptr) write_golden(have);
  const Curve want = read_metrics(kGolden);
  ASSERT_EQ(have.size(), kSteps);
  ASSERT_EQ(want.size(), kSteps);
  for (size_t step = 0; step < kSteps; ++step) {
    EXPECT_EQ(have[step].step, want[step].step);
    EXPECT_EQ(have[step].tokens, want[step].tokens);
    EXPECT_DOUBLE_EQ(have[step].lr, want[step].lr);
  }
  const std::vector<Curve> nudged{curve({fmt::format("optimizer.learning_rate={}", 0.01 * (1 + kNudge))}),
                                  curve({fmt::format("model.initializer_range={}", 0.2 * (1 + kNudge))})};
  const auto bound = bounds(have, nudged);
  EXPECT_EQ(first_difference(have, want, bound), "") << kGolden << "; PLEAT_REWRITE=1 rewrites it";
  EXPECT_LT(want.back().loss, 0.9 * want.front().loss) << "a curve that goes nowhere guards little";
  // Bounds that no change could exceed would guard nothing: a thousandth of epsilon's own part is seen.
  EXPECT_NE(first_difference(curve({"optimizer.eps=0.001000001"}), want, bound), "");
  EXPECT_NE(first_difference(nudged[0], want, bound), "") << "the nudge itself is seen";
}

}  // namespace
}  // namespace pleat::train
