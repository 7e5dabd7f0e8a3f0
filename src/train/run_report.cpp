// SPDX-License-Identifier: Apache-2.0
#include "train/run_report.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "train/profile.h"
#include "train/replace_file.h"

namespace pleat::train {
namespace {

namespace fs = std::filesystem;
using base::DataError;
using base::fail;

/// A file about final/ that is not older than it; nothing else counts.
std::optional<std::string> result_file(const fs::path& directory, const char* name) {
  if (!is_current(directory / name, directory / "final" / "config.json")) return {};
  return read_file(directory / name);
}

BitsPerByteRow row_of(std::string_view line, const std::string& where) {
  const size_t tab = line.find('\t');
  BitsPerByteRow row{std::string(line.substr(0, tab))};
  const std::string_view number = tab == std::string_view::npos ? "" : line.substr(tab + 1);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), row.bits);
  if (error != std::errc() || end != number.data() + number.size() || !std::isfinite(row.bits) ||
      row.bits < 0)
    fail<DataError>("{}: '{}' is not a name, a tab and bits per byte", where, line);
  return row;
}

void read_bits_per_byte(std::string_view text, const std::string& file, ReportInput& input) {
  int64_t number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.starts_with("#")) {
      const std::string_view note = line.substr(std::min(line.find_first_not_of("# "), line.size()));
      input.bits_per_byte_note += (input.bits_per_byte_note.empty() ? "" : " ") + std::string(note);
    } else if (!line.empty()) {
      input.bits_per_byte.push_back(row_of(line, fmt::format("{}:{}", file, number)));
    }
  }
  if (!input.bits_per_byte.empty()) input.bits_per_byte.front().ours = true;
}

/// The text of a file that ends with the newline of the program that printed it.
std::string without_newline(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

void read_sample(const fs::path& directory, ReportInput& input) {
  const std::optional<std::string> text = result_file(directory, "sample.txt");
  if (!text) return;
  Sample sample{"", without_newline(*text)};
  if (const auto prompt = result_file(directory, "prompt.txt"))
    if (const std::string start = without_newline(*prompt); sample.text.starts_with(start)) {
      sample.text.erase(0, start.size());
      sample.prompt = start;
    }
  input.samples.push_back(std::move(sample));
}

}  // namespace

std::string evaluation_text(const Evaluation& evaluation) {
  return nlohmann::ordered_json{{"format", 1},
                                {"loss", evaluation.loss},
                                {"counted", evaluation.counted},
                                {"tokens", evaluation.tokens},
                                {"bits_per_token", evaluation.bits_per_token}}
             .dump() +
         "\n";
}

Evaluation parse_evaluation(std::string_view text, std::string_view where) {
  try {
    const auto json = nlohmann::json::parse(text);
    if (json.at("format") != 1) fail<DataError>("{}: an evaluation of another format than 1", where);
    return {json.at("loss").get<double>(), json.at("counted").get<int64_t>(),
            json.at("tokens").get<int64_t>(), json.at("bits_per_token").get<double>()};
  } catch (const nlohmann::json::exception& error) {
    fail<DataError>("{}: damaged ({}); pleat evaluate --out writes it anew", where, error.what());
  }
}

ReportInput read_run(const fs::path& directory) {
  ReportInput input;
  if (!fs::exists(directory / "metrics.jsonl"))
    fail<DataError>("{}: no run directory: it holds no metrics.jsonl", directory.string());
  input.title = fs::absolute(directory / "").parent_path().filename().string();
  input.metrics = read_metrics(directory / "metrics.jsonl");
  if (const fs::path profile = directory / kProfileFile; fs::exists(profile))
    parse_profile(read_file(profile), profile.string(), input);
  if (const auto text = result_file(directory, "held_out.json"); text && !input.metrics.empty())
    input.held_out.push_back(
        {input.metrics.back().step, parse_evaluation(*text, (directory / "held_out.json").string()).loss});
  if (const auto text = result_file(directory, "bits_per_byte.tsv"))
    read_bits_per_byte(*text, (directory / "bits_per_byte.tsv").string(), input);
  read_sample(directory, input);
  return input;
}

void write_run_report(const fs::path& directory) {
  write_report(directory / "report.html", read_run(directory));
}

}  // namespace pleat::train
