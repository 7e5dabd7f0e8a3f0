// SPDX-License-Identifier: Apache-2.0
// metrics.jsonl: writing, reading and cutting back. Every line carries the format's number, so that a reader
// may look at every line as a step and a file can be cut anywhere.
#include "train/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "train/replace_file.h"

namespace pleat::train {

using base::CheckError;
using base::DataError;
using base::fail;
using Json = nlohmann::ordered_json;  // auxiliary terms keep their order

namespace {

constexpr std::array<std::string_view, 9> kOwnKeys{"format", "step",    "loss",         "grad_norm",     "lr",
                                                   "tokens", "seconds", "tokens_per_s", "router_balance"};

bool is_own_key(std::string_view key) {
  return std::find(kOwnKeys.begin(), kOwnKeys.end(), key) != kOwnKeys.end();
}

/// The shortest text that reads back as the same double, marked as a real number also where it is whole:
/// "-0.0" would otherwise come back as the integer 0.
std::string number(double value) {
  if (!std::isfinite(value)) return "null";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

void append(std::string& line, std::string_view key, const std::string& value) {
  if (line.size() > 1) line += ", ";
  line += fmt::format("\"{}\": {}", key, value);
}

const Json& member(const Json& object, const char* key, std::string_view where) {
  const auto found = object.find(key);
  if (found == object.end()) fail<DataError>("{}: no \"{}\" in this step", where, key);
  return *found;
}

double real(const Json& value, std::string_view key, std::string_view where) {
  if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (!value.is_number()) fail<DataError>("{}: \"{}\" is not a number", where, key);
  return value.get<double>();
}

double real(const Json& object, const char* key, std::string_view where) {
  return real(member(object, key, where), std::string_view(key), where);
}

int64_t whole(const Json& object, const char* key, std::string_view where) {
  const Json& value = member(object, key, where);
  if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<uint64_t>() >> 63 != 0))
    fail<DataError>("{}: \"{}\" is not a whole number of 63 bits", where, key);
  return value.get<int64_t>();
}

Json parse(std::string_view line, std::string_view where) {
  Json object = Json::parse(line, nullptr, false);
  if (!object.is_object()) fail<DataError>("{}: not a JSON object", where);
  if (const int64_t format = whole(object, "format", where); format != kMetricsFormat)
    fail<DataError>("{}: metrics of format {}; this version reads format {}", where, format, kMetricsFormat);
  return object;
}

/// Calls take(line, metrics) for every whole line. The last line is torn when it has no newline and is no
/// JSON; one that only misses its newline is whole.
template <class Take>
void for_each_step(const std::filesystem::path& path, Take take) {
  const std::string content = read_file(path);
  int64_t line_number = 0;
  for (size_t begin = 0; begin < content.size();) {
    const size_t end = std::min(content.find('\n', begin), content.size());
    const std::string_view line(content.data() + begin, end - begin);
    const std::string where = fmt::format("{}:{}", path.string(), ++line_number);
    begin = end + 1;
    if (end == content.size() && !Json::accept(line)) return;
    take(line, from_json_line(line, where));
  }
}

}  // namespace

std::span<const StepMetrics> warm_steps(std::span<const StepMetrics> metrics, int64_t first) {
  const auto own = std::find_if(metrics.begin(), metrics.end(),
                                [&](const StepMetrics& step) { return step.step > first; });
  const std::span<const StepMetrics> all(own, metrics.end());
  return std::ssize(all) >= kWarmUpSteps + 2 ? all.subspan(kWarmUpSteps) : all;
}

std::string to_json_line(const StepMetrics& metrics) {
  std::string line = "{";
  append(line, "format", fmt::format("{}", kMetricsFormat));
  append(line, "step", fmt::format("{}", metrics.step));
  append(line, "loss", number(metrics.loss));
  for (size_t i = 0; i < metrics.auxiliary.size(); ++i) {
    const auto& [key, value] = metrics.auxiliary[i];
    const auto twin =
        std::find_if(metrics.auxiliary.begin(), metrics.auxiliary.begin() + static_cast<long>(i),
                     [&](const auto& earlier) { return earlier.first == key; });
    if (is_own_key(key) || twin != metrics.auxiliary.begin() + static_cast<long>(i))
      fail<CheckError>("step {}: the auxiliary term '{}' needs a key of its own", metrics.step, key);
    line += fmt::format(", {}: {}", Json(key).dump(-1, ' ', false, Json::error_handler_t::replace),
                        number(value));
  }
  append(line, "grad_norm", number(metrics.grad_norm));
  append(line, "lr", number(metrics.lr));
  append(line, "tokens", fmt::format("{}", metrics.tokens));
  append(line, "seconds", number(metrics.seconds));
  append(line, "tokens_per_s", number(metrics.tokens_per_s));
  if (metrics.balance) append(line, "router_balance", number(*metrics.balance));
  return line + "}";
}

StepMetrics from_json_line(std::string_view line, std::string_view where) {
  const Json object = parse(line, where);
  StepMetrics metrics;
  metrics.step = whole(object, "step", where);
  metrics.loss = real(object, "loss", where);
  metrics.grad_norm = real(object, "grad_norm", where);
  metrics.lr = real(object, "lr", where);
  metrics.tokens = whole(object, "tokens", where);
  metrics.seconds = real(object, "seconds", where);
  metrics.tokens_per_s = real(object, "tokens_per_s", where);
  if (object.contains("router_balance")) metrics.balance = real(object, "router_balance", where);
  for (const auto& [key, value] : object.items())
    if (!is_own_key(key)) metrics.auxiliary.emplace_back(key, real(value, key, where));
  return metrics;
}

MetricsWriter::MetricsWriter(std::filesystem::path path)
    : path_(std::move(path)), file_(path_, std::ios::binary | std::ios::app) {
  if (!file_) fail<DataError>("{}: cannot be opened; is the directory there and writable?", path_.string());
}

void MetricsWriter::write(const StepMetrics& metrics) {
  file_ << to_json_line(metrics) + '\n' << std::flush;
  if (!file_)
    fail<DataError>("{}: step {} cannot be written; is the disk full?", path_.string(), metrics.step);
}

std::vector<StepMetrics> read_metrics(const std::filesystem::path& path) {
  std::vector<StepMetrics> steps;
  for_each_step(path, [&](std::string_view, StepMetrics metrics) { steps.push_back(std::move(metrics)); });
  return steps;
}

int64_t cut_back(const std::filesystem::path& path, int64_t step) {
  if (!std::filesystem::exists(path)) return 0;
  std::string kept;
  int64_t lines = 0;
  for_each_step(path, [&](std::string_view line, const StepMetrics& metrics) {
    if (metrics.step > step) return;
    kept.append(line) += '\n';
    ++lines;
  });
  replace_file(path, kept);
  return lines;
}

}  // namespace pleat::train
