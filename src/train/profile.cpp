// SPDX-License-Identifier: Apache-2.0
// Each text stands in the file once, and a span is six numbers.
#include "train/profile.h"

#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "train/text_numbers.h"

namespace pleat::train {
namespace {

using Json = nlohmann::ordered_json;
constexpr size_t kNumbers = 6;  // of a span: rank, queue, name, kind, start, duration

template <class T>
Json optional_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

template <class T>
std::optional<T> optional_at(const Json& object, const char* key) {
  const Json& value = object.at(key);
  return value.is_null() ? std::nullopt : std::optional(value.get<T>());
}

Json spans_json(const std::vector<TimelineSpan>& spans, TextNumbers& texts) {
  Json numbers = Json::array();
  for (const TimelineSpan& span : spans) {
    numbers.push_back(span.rank);
    for (const std::string* text : {&span.queue, &span.name, &span.kind}) numbers.push_back(texts.of(*text));
    numbers.push_back(span.start_ns);
    numbers.push_back(span.duration_ns);
  }
  return numbers;
}

std::vector<TimelineSpan> spans_of(const Json& numbers, const std::vector<std::string>& texts) {
  std::vector<TimelineSpan> spans(numbers.size() / kNumbers);
  for (size_t i = 0; i < spans.size(); ++i) {
    const auto number = [&](size_t k) -> const Json& { return numbers.at(kNumbers * i + k); };
    const auto text = [&](size_t k) { return texts.at(number(k).get<size_t>()); };
    spans[i] = {number(0).get<int32_t>(), text(1), text(2), text(3), number(4).get<int64_t>(),
                number(5).get<int64_t>()};
  }
  return spans;
}

Json memory_json(const std::vector<MemoryRow>& rows) {
  Json memory = Json::array();
  for (const MemoryRow& row : rows)
    memory.push_back({{"rank", optional_json(row.rank)},
                      {"predicted_peak", optional_json(row.predicted_peak)},
                      {"highest_touched", optional_json(row.highest_touched)},
                      {"resident_growth", optional_json(row.resident_growth)}});
  return memory;
}

void read_step(const Json& step, ReportInput& input) {
  input.predicted_step_seconds = optional_at<double>(step, "predicted_seconds");
  input.calibrated_step_seconds = optional_at<double>(step, "calibrated_seconds");
  input.measured_step_seconds = optional_at<double>(step, "measured_seconds");
  input.measured_note = step.at("measured_note").get<std::string>();
  input.prediction_aim = step.at("aim").get<double>();
  input.prediction_note = step.at("note").get<std::string>();
}

void read_all(const Json& profile, ReportInput& input) {
  input.subtitle = profile.at("subtitle").get<std::string>();
  input.facts.clear();
  for (const Json& fact : profile.at("facts"))
    input.facts.push_back({fact.at(0).get<std::string>(), fact.at(1).get<std::string>()});
  read_step(profile.at("step"), input);
  input.memory.clear();
  for (const Json& row : profile.at("memory"))
    input.memory.push_back({optional_at<int32_t>(row, "rank"), optional_at<int64_t>(row, "predicted_peak"),
                            optional_at<int64_t>(row, "highest_touched"),
                            optional_at<int64_t>(row, "resident_growth")});
  const auto texts = profile.at("texts").get<std::vector<std::string>>();
  input.predicted_timeline = spans_of(profile.at("predicted_timeline"), texts);
  input.measured_timeline = spans_of(profile.at("measured_timeline"), texts);
}

}  // namespace

std::string profile_text(const ReportInput& input) {
  Json profile{{"format", kProfileFormat}, {"subtitle", input.subtitle}};
  profile["facts"] = Json::array();
  for (const Fact& fact : input.facts) profile["facts"].push_back(Json::array({fact.name, fact.value}));
  profile["step"] = {{"predicted_seconds", optional_json(input.predicted_step_seconds)},
                     {"calibrated_seconds", optional_json(input.calibrated_step_seconds)},
                     {"measured_seconds", optional_json(input.measured_step_seconds)},
                     {"measured_note", input.measured_note},
                     {"aim", input.prediction_aim},
                     {"note", input.prediction_note}};
  profile["memory"] = memory_json(input.memory);
  TextNumbers texts;
  Json predicted = spans_json(input.predicted_timeline, texts);
  Json measured = spans_json(input.measured_timeline, texts);
  profile["texts"] = texts.list();
  profile["predicted_timeline"] = std::move(predicted);
  profile["measured_timeline"] = std::move(measured);
  return profile.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void parse_profile(std::string_view text, std::string_view where, ReportInput& input) {
  try {
    const Json profile = Json::parse(text);
    if (const auto format = profile.at("format").get<int64_t>(); format != kProfileFormat)
      base::fail<base::DataError>("{}: a profile of format {}; this version reads format {}", where, format,
                                  kProfileFormat);
    read_all(profile, input);
  } catch (const Json::exception& error) {
    base::fail<base::DataError>("{}: damaged ({}); remove it, and the next run writes it anew", where,
                                error.what());
  } catch (const std::out_of_range&) {
    base::fail<base::DataError>("{}: damaged (a text that is not there); remove it", where);
  }
}

}  // namespace pleat::train
