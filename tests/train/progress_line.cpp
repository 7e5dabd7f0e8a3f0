// SPDX-License-Identifier: Apache-2.0
// The progress line: humanised numbers, redrawing in place, and one line in a while on a pipe.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "train/progress.h"

namespace pleat::train {
namespace {

StepMetrics sample(int64_t step, double seconds = 0.25, double loss = 2.3451) {
  StepMetrics metrics;
  metrics.step = step;
  metrics.loss = loss;
  metrics.seconds = seconds;
  metrics.tokens_per_s = 4608 / seconds;
  return metrics;
}

/// What stands on a terminal's line after `text` was printed.
std::string shown(std::string_view text) {
  std::string line;
  size_t column = 0;
  for (const char c : text) {
    if (c == '\n') line.clear();
    if (c == '\r' || c == '\n') {
      column = 0;
      continue;
    }
    if (column == line.size()) line += ' ';
    line[column++] = c;
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

TEST(ProgressLine, Counts) {
  EXPECT_EQ(humanise_count(0), "0");
  EXPECT_EQ(humanise_count(999), "999");
  EXPECT_EQ(humanise_count(1000), "1,000");
  EXPECT_EQ(humanise_count(18432), "18,432");
  EXPECT_EQ(humanise_count(-123456), "-123,456");
  EXPECT_EQ(humanise_count(1234567890123), "1,234,567,890,123");
}

TEST(ProgressLine, Bytes) {
  EXPECT_EQ(humanise_bytes(0), "0 B");
  EXPECT_EQ(humanise_bytes(1023), "1023 B");
  EXPECT_EQ(humanise_bytes(1024), "1.0 KiB");
  EXPECT_EQ(humanise_bytes(212 << 20), "212 MiB");
  EXPECT_EQ(humanise_bytes(3LL << 29), "1.5 GiB");
  EXPECT_EQ(humanise_bytes(1000LL << 20), "0.98 GiB");
  EXPECT_EQ(humanise_bytes(-(5LL << 20)), "-5.0 MiB");
}

TEST(ProgressLine, Durations) {
  EXPECT_EQ(humanise_duration(0.42), "0.4s");
  EXPECT_EQ(humanise_duration(9.96), "10s");
  EXPECT_EQ(humanise_duration(59.7), "1m00s");
  EXPECT_EQ(humanise_duration(192), "3m12s");
  EXPECT_EQ(humanise_duration(7500), "2h05m");
  EXPECT_EQ(humanise_duration(3 * 86400 + 4 * 3600 + 5), "3d04h");
  EXPECT_EQ(humanise_duration(std::nan("")), "?");
  EXPECT_EQ(humanise_duration(std::numeric_limits<double>::infinity()), "?");
}

TEST(ProgressLine, Quantities) {
  EXPECT_EQ(humanise_quantity(13.1e6), "13.1 M");
  EXPECT_EQ(humanise_quantity(999.6e3), "1.0 M");
  EXPECT_EQ(humanise_quantity(42), "42");
  EXPECT_EQ(humanise_quantity(6.1e12), "6.1 T");
  EXPECT_EQ(humanise_quantity(-2.5e9), "-2.5 G");
}

TEST(ProgressLine, OneStepOnAPipe) {
  Progress progress(Progress::Medium::pipe, 0, 1500);
  EXPECT_EQ(progress.step(sample(732), 10, 212 << 20),
            "step 732/1500  loss 2.345  18,432 tok/s  ETA 3m12s  mem 212 MiB\n");
}

TEST(ProgressLine, APipeGetsALineInAWhileAndTheLastStep) {
  Progress progress(Progress::Medium::pipe, 0, 100, 10);
  int lines = 0;
  for (int64_t step = 1; step <= 100; ++step)
    if (!progress.step(sample(step), 0.25 * static_cast<double>(step)).empty()) ++lines;
  EXPECT_EQ(lines, 4) << "at 0.25, 10.25 and 20.25 seconds, and step 100";
  EXPECT_EQ(progress.finish(), "");
  EXPECT_EQ(progress.note("saved"), "saved\n");
}

TEST(ProgressLine, ATerminalIsRedrawnWithoutLeftovers) {
  Progress progress(Progress::Medium::terminal, 0, 1500);
  std::string screen = progress.step(sample(1, 100, 12345678.9), 0, 212 << 20);
  const std::string longer = shown(screen);
  screen += progress.step(sample(1500, 0.25), 200, 212 << 20);
  EXPECT_LT(shown(screen).size(), longer.size());
  EXPECT_EQ(shown(screen).substr(0, 27), "step 1500/1500  loss 2.345 ");
  EXPECT_NE(shown(screen).find("ETA 0s  mem 212 MiB"), std::string::npos);
  EXPECT_EQ(screen.find('\n'), std::string::npos);
  EXPECT_EQ(progress.finish(), "\n");
  EXPECT_EQ(progress.finish(), "");
}

TEST(ProgressLine, ATerminalIsNotRedrawnFasterThanTheEyeReads) {
  Progress progress(Progress::Medium::terminal, 0, 1000);
  EXPECT_NE(progress.step(sample(1), 0), "");
  EXPECT_EQ(progress.step(sample(2), 0.05), "");
  EXPECT_NE(progress.step(sample(3), 0.11), "");
}

TEST(ProgressLine, ANoteStandsAboveTheLine) {
  Progress progress(Progress::Medium::terminal, 0, 1000);
  const std::string line = progress.step(sample(1), 0);
  const std::string note = progress.note("saved step 1");
  EXPECT_EQ(shown(line + note.substr(0, note.find('\n'))), "saved step 1");
  EXPECT_EQ(shown(line + note), shown(line));
}

TEST(ProgressLine, SpeedIsTheAverageOfWhatWasSeen) {
  Progress progress(Progress::Medium::pipe, 0, 1000);
  progress.step(sample(1, 0.5), 1);
  EXPECT_DOUBLE_EQ(progress.tokens_per_s(), 4608 / 0.5);
  for (int64_t step = 2; step <= 400; ++step) progress.step(sample(step, 0.25), static_cast<double>(step));
  EXPECT_NEAR(progress.tokens_per_s(), 4608 / 0.25, 4608 / 0.5 * std::pow(0.95, 399) + 1e-6);
}

}  // namespace
}  // namespace pleat::train
