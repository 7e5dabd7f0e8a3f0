// SPDX-License-Identifier: Apache-2.0
// metrics.jsonl: exact numbers, the key names that readers rely on, and what stays after a crash.
#include <gtest/gtest.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "base/errors.h"
#include "train/metrics.h"
#include "train/replace_file.h"

namespace pleat::train {
namespace {

namespace fs = std::filesystem;

class MetricsFile : public testing::Test {
 protected:
  void SetUp() override {
    directory_ =
        fs::path(testing::TempDir()) /
        fmt::format("pleat_{}_{}", getpid(), testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(directory_);
    fs::create_directories(directory_);
    path_ = directory_ / "metrics.jsonl";
  }
  void TearDown() override { fs::remove_all(directory_); }

  void write_steps(int64_t first, int64_t last) {
    MetricsWriter writer(path_);
    for (int64_t step = first; step <= last; ++step) writer.write(sample(step));
  }
  static StepMetrics sample(int64_t step) {
    const auto x = static_cast<double>(step);
    return {step,  5.5 / x,  {{"balance_loss", 1.0 + 0.1 / x}, {"z_loss", x / 3}},
            1 / x, 3e-4 / x, 4096 * step,
            0.1,   40960.0,  1.25};
  }
  std::string error_of(auto call) {
    try {
      call();
    } catch (const base::DataError& error) {
      return error.what();
    }
    return "no DataError";
  }

  fs::path directory_, path_;
};

TEST_F(MetricsFile, LineHasTheFixedKeysInOrder) {
  const StepMetrics metrics{7,     2.5, {{"balance_loss", 1}, {"z_loss", 0.25}}, 0.5, 1e-3, 28672, 0.125,
                            32768, 1.5};
  EXPECT_EQ(
      to_json_line(metrics),
      R"({"format": 1, "step": 7, "loss": 2.5, "balance_loss": 1.0, "z_loss": 0.25, "grad_norm": 0.5, )"
      R"("lr": 0.001, "tokens": 28672, "seconds": 0.125, "tokens_per_s": 32768.0, "router_balance": 1.5})");
}

TEST_F(MetricsFile, DenseModelsHaveNoRouterBalance) {
  StepMetrics metrics = sample(3);
  metrics.balance.reset();
  EXPECT_EQ(to_json_line(metrics).find("router_balance"), std::string::npos);
  EXPECT_EQ(from_json_line(to_json_line(metrics), "here"), metrics);
}

TEST_F(MetricsFile, TheFirstStepsOfARunOnlyWarmUpWhereOthersFollow) {
  write_steps(1, 9);
  const std::vector<StepMetrics> steps = read_metrics(path_);
  const auto range = [&](size_t count, int64_t first) {
    const auto warm = warm_steps(std::span(steps).first(count), first);
    return warm.empty() ? std::pair<int64_t, int64_t>() : std::pair(warm.front().step, warm.back().step);
  };
  EXPECT_EQ(range(9, 0), std::pair(int64_t{4}, int64_t{9}));
  EXPECT_EQ(range(5, 0), std::pair(int64_t{4}, int64_t{5}));
  EXPECT_EQ(range(4, 0), std::pair(int64_t{1}, int64_t{4}));
  EXPECT_EQ(range(9, 4), std::pair(int64_t{8}, int64_t{9})) << "of a resumed run";
  EXPECT_EQ(range(9, 9), std::pair(int64_t{0}, int64_t{0})) << "of one that had nothing left to do";
}

TEST_F(MetricsFile, EveryDoubleReadsBackExactly) {
  std::mt19937_64 random(1);
  std::vector<double> values{0.0,
                             -0.0,
                             1.0,
                             0.1,
                             1e22,
                             1e23,
                             5e-324,
                             std::numeric_limits<double>::max(),
                             std::numeric_limits<double>::min(),
                             1.0 / 3};
  while (values.size() < 5000)
    if (const double value = std::bit_cast<double>(random()); std::isfinite(value)) values.push_back(value);
  for (const double value : values) {
    StepMetrics metrics;
    metrics.loss = value;
    const StepMetrics back = from_json_line(to_json_line(metrics), "here");
    ASSERT_EQ(std::bit_cast<uint64_t>(back.loss), std::bit_cast<uint64_t>(value)) << to_json_line(metrics);
  }
}

TEST_F(MetricsFile, NotFiniteIsNullAndReadsAsNaN) {
  StepMetrics metrics = sample(1);
  metrics.loss = std::numeric_limits<double>::quiet_NaN();
  metrics.grad_norm = std::numeric_limits<double>::infinity();
  const std::string line = to_json_line(metrics);
  EXPECT_NE(line.find(R"("loss": null)"), std::string::npos);
  EXPECT_TRUE(std::isnan(from_json_line(line, "here").loss));
  EXPECT_TRUE(std::isnan(from_json_line(line, "here").grad_norm));
}

TEST_F(MetricsFile, AuxiliaryTermsNeedKeysOfTheirOwn) {
  StepMetrics metrics = sample(1);
  metrics.auxiliary = {{"loss", 1.0}};
  EXPECT_THROW(to_json_line(metrics), base::CheckError);
  metrics.auxiliary = {{"z_loss", 1.0}, {"z_loss", 2.0}};
  EXPECT_THROW(to_json_line(metrics), base::CheckError);
}

TEST_F(MetricsFile, WrittenLinesAreThereAtOnceAndReadBack) {
  MetricsWriter writer(path_);
  for (int64_t step = 1; step <= 5; ++step) {
    writer.write(sample(step));
    const std::vector<StepMetrics> steps = read_metrics(path_);
    ASSERT_EQ(steps.size(), static_cast<size_t>(step));
    EXPECT_EQ(steps.back(), sample(step));
  }
}

TEST_F(MetricsFile, CutBackKeepsTheBytesUpToTheStep) {
  write_steps(1, 6);
  const std::string before = read_file(path_);
  write_steps(7, 10);
  EXPECT_EQ(cut_back(path_, 6), 6);
  EXPECT_EQ(read_file(path_), before);
  write_steps(7, 10);
  EXPECT_EQ(read_metrics(path_).size(), 10u);
  EXPECT_EQ(cut_back(path_, 0), 0);
  EXPECT_TRUE(read_file(path_).empty());
}

TEST_F(MetricsFile, CutBackOfNothingIsNothing) {
  EXPECT_EQ(cut_back(path_, 5), 0);
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(MetricsFile, ALineTornAnywhereIsDropped) {
  write_steps(1, 3);
  const std::string whole = read_file(path_);
  const size_t last_line = whole.rfind('\n', whole.size() - 2) + 1;
  for (size_t length = last_line; length < whole.size() - 1; ++length) {
    replace_file(path_, std::string_view(whole).substr(0, length));
    ASSERT_EQ(read_metrics(path_).size(), 2u) << length;
    ASSERT_EQ(cut_back(path_, 3), 2) << length;
    ASSERT_EQ(read_file(path_), whole.substr(0, last_line)) << length;
  }
}

TEST_F(MetricsFile, ALineThatOnlyMissesItsNewlineStays) {
  write_steps(1, 3);
  const std::string whole = read_file(path_);
  replace_file(path_, std::string_view(whole).substr(0, whole.size() - 1));
  EXPECT_EQ(cut_back(path_, 3), 3);
  EXPECT_EQ(read_file(path_), whole);
}

TEST_F(MetricsFile, BlocksOfZerosLeftByAPowerFailureAreTorn) {
  write_steps(1, 3);
  const std::string whole = read_file(path_);
  replace_file(path_, whole + std::string(512, '\0'));
  EXPECT_EQ(cut_back(path_, 3), 3);
  EXPECT_EQ(read_file(path_), whole);
}

TEST_F(MetricsFile, OtherFormatsAreRefusedByName) {
  write_steps(1, 2);
  std::string text = read_file(path_);
  text.replace(text.rfind("\"format\": 1"), 11, "\"format\": 2");
  replace_file(path_, text);
  const std::string expected = path_.string() + ":2: metrics of format 2; this version reads format 1";
  EXPECT_EQ(error_of([&] { read_metrics(path_); }), expected);
  EXPECT_EQ(error_of([&] { cut_back(path_, 1); }), expected);
  EXPECT_EQ(read_file(path_), text) << "a refused file stays as it is";
}

TEST_F(MetricsFile, DamagedLinesAreNamed) {
  const std::string good = to_json_line(sample(1));
  for (const std::string bad :
       {"", "[]", "{}", R"({"format": "1"})", R"({"format": 1, "step": 1.5})",
        R"({"format": 1, "step": 18446744073709551615})", "{\"format\": 1, \"step\": 1"}) {
    replace_file(path_, good + "\n" + bad + "\n" + good + "\n");
    EXPECT_NE(error_of([&] { read_metrics(path_); }).find("metrics.jsonl:2: "), std::string::npos) << bad;
  }
  std::string text = good;
  text.replace(text.find("\"loss\": 5.5"), 11, "\"loss\": \"5\"");
  EXPECT_EQ(error_of([&] { from_json_line(text, "m:4"); }), "m:4: \"loss\" is not a number");
}

TEST_F(MetricsFile, MissingFilesAndDirectoriesAreNamed) {
  EXPECT_NE(error_of([&] { read_metrics(path_); }).find(path_.string()), std::string::npos);
  EXPECT_NE(error_of([&] { MetricsWriter(directory_ / "no" / "m.jsonl"); }).find("cannot be opened"),
            std::string::npos);
  EXPECT_NE(error_of([&] { replace_file(directory_ / "no" / "m", "x"); }).find("cannot be created"),
            std::string::npos);
}

}  // namespace
}  // namespace pleat::train
