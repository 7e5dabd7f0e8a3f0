// SPDX-License-Identifier: Apache-2.0
// Humanised numbers and the progress line made of them.
#include "train/progress.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/errors.h"

namespace pleat::train {

namespace {

constexpr double kRedrawInterval = 0.1;  // seconds: faster is flicker
constexpr double kMemory = 0.95;         // weight of the past in the shown speed: about the last twenty steps

/// Three significant digits without an exponent: 1.50, 12.3, 212.
std::string three_digits(double value) {
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (decimals == 2 && text.back() == '0') text.pop_back();
  return text;
}

}  // namespace

std::string humanise_count(int64_t count) {
  std::string digits = fmt::format("{}", count);
  const long first = count < 0 ? 1 : 0;
  for (long i = static_cast<long>(digits.size()) - 3; i > first; i -= 3)
    digits.insert(static_cast<size_t>(i), ",");
  return digits;
}

std::string humanise_bytes(int64_t bytes) {
  constexpr std::array<std::string_view, 6> kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (std::abs(bytes) < 1024) return fmt::format("{} B", bytes);
  double size = std::abs(static_cast<double>(bytes)) / 1024;
  size_t unit = 0;
  for (; size >= 999.5 && unit + 1 < kUnits.size(); size /= 1024) ++unit;
  return fmt::format("{}{} {}", bytes < 0 ? "-" : "", three_digits(size), kUnits[unit]);
}

std::string humanise_duration(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "?";
  if (seconds < 9.95) return fmt::format("{:.1f}s", seconds);
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{}h{:02}m", whole / 3600, whole % 3600 / 60);
  return fmt::format("{}d{:02}h", whole / 86400, whole % 86400 / 3600);
}

std::string humanise_quantity(double quantity) {
  constexpr std::array<std::string_view, 5> kUnits{"", " k", " M", " G", " T"};
  if (!std::isfinite(quantity)) return "?";
  double size = std::abs(quantity);
  size_t unit = 0;
  for (; size >= 999.5 && unit + 1 < kUnits.size(); size /= 1000) ++unit;
  return fmt::format("{}{}{}", quantity < 0 ? "-" : "",
                     unit == 0 ? fmt::format("{:.4g}", size) : three_digits(size), kUnits[unit]);
}

Progress::Progress(Medium medium, int64_t first_step, int64_t last_step, double interval)
    : medium_(medium), last_step_(std::max(first_step, last_step)), interval_(interval) {}

std::string Progress::step(const StepMetrics& metrics, double now, std::optional<int64_t> memory) {
  average(metrics);
  if (!due(metrics, now)) return "";
  shown_at_ = now;
  const std::string text = line(metrics, memory);
  return medium_ == Medium::terminal ? redraw(text) : text + "\n";
}

/// Exponential averages with the weight of the steps not seen taken out, so that the first steps count in
/// full.
void Progress::average(const StepMetrics& metrics) {
  weight_ = kMemory * weight_ + 1;
  seconds_ += (metrics.seconds - seconds_) / weight_;
  tokens_per_s_ += (metrics.tokens_per_s - tokens_per_s_) / weight_;
}

bool Progress::due(const StepMetrics& metrics, double now) const {
  if (!shown_at_ || metrics.step >= last_step_) return true;
  return now - *shown_at_ >= (medium_ == Medium::terminal ? kRedrawInterval : interval_);
}

std::string Progress::line(const StepMetrics& metrics, std::optional<int64_t> memory) const {
  const int64_t left = std::max<int64_t>(0, last_step_ - metrics.step);
  std::string text =
      fmt::format("step {}/{}  loss {:.3f}  {} tok/s  ETA {}", metrics.step, last_step_, metrics.loss,
                  std::isfinite(tokens_per_s_) ? humanise_count(std::llround(tokens_per_s_)) : "?",
                  left == 0 ? "0s" : humanise_duration(static_cast<double>(left) * seconds_));
  if (memory) text += fmt::format("  mem {}", humanise_bytes(*memory));
  return text;
}

/// Blanks wipe what a longer earlier line left: plainer than an escape sequence and right on every terminal.
std::string Progress::redraw(const std::string& text) {
  const size_t rest = drawn_.size() > text.size() ? drawn_.size() - text.size() : 0;
  drawn_ = text;
  return "\r" + text + std::string(rest, ' ');
}

std::string Progress::note(std::string_view text) {
  if (drawn_.empty()) return std::string(text) + "\n";
  const std::string before = drawn_;
  const std::string wiped = redraw(std::string(text));
  drawn_ = before;
  return wiped + "\n" + before;
}

std::string Progress::finish() {
  if (drawn_.empty()) return "";
  drawn_.clear();
  return "\n";
}

}  // namespace pleat::train
