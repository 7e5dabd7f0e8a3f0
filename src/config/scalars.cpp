// SPDX-License-Identifier: Apache-2.0
#include "config/scalars.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/errors.h"
#include "config/suggest.h"

namespace pleat::config {
namespace {

using base::fail;
using base::JobError;

/// Words that some YAML reader takes for a boolean or nothing; as a text they need quotes.
bool is_boolean_word(std::string_view word) {
  static constexpr std::array kWords{"yes", "no", "on", "off", "y", "n", "true", "false", "null", "~"};
  std::string lower(word);
  for (char& c : lower) c = (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// "010", "0x1f", "0o7", "-07": decimal to one reader, octal or hexadecimal to another.
bool has_other_base(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' &&
         (is_digit(text[1]) || std::string_view("xXoObB").find(text[1]) != text.npos);
}

struct Assign {
  const Key& key;
  const YamlEntry& entry;
  Job& job;

  /// `why` with the colon before it, or nothing.
  [[noreturn]] void refuse(std::string_view text, std::string_view why) const {
    fail<JobError>("{}: {} takes {}, not '{}'{}", entry.where, key.path, kind_of(key.field), text, why);
  }
  const YamlScalar& scalar() const {
    if (entry.kind != YamlEntry::Kind::scalar)
      fail<JobError>("{}: {} takes {}, not a {}", entry.where, key.path, kind_of(key.field),
                     entry.kind == YamlEntry::Kind::list ? "list" : "mapping");
    return entry.values.front();
  }
  void expect_list() const {
    if (entry.kind != YamlEntry::Kind::list)
      fail<JobError>("{}: {} takes {}: write [a, b]", entry.where, key.path, kind_of(key.field));
  }
  void expect_number(const YamlScalar& value) const {
    if (!value.plain) refuse(value.text, ": numbers are written without quotes");
    if (has_other_base(value.text)) refuse(value.text, ": numbers are decimal, without leading zeros");
  }
  int64_t integer(const YamlScalar& value) const {
    expect_number(value);
    int64_t number = 0;
    const char* end = value.text.data() + value.text.size();
    const auto [stop, error] = std::from_chars(value.text.data(), end, number);
    if (error == std::errc::result_out_of_range) refuse(value.text, ": it does not fit into 64 bits");
    if (error != std::errc() || stop != end) refuse(value.text, "");
    return number;
  }
  std::string text(const YamlScalar& value) const {
    if (value.plain && is_boolean_word(value.text)) refuse(value.text, ": put this word in quotes");
    if (std::any_of(value.text.begin(), value.text.end(), [](char c) { return c >= 0 && c < ' '; }))
      refuse(value.text, ": control characters, line ends too, are not accepted");
    return value.text;
  }

  void operator()(const IntegerField& field) const { field.at(job) = integer(scalar()); }
  void operator()(const NumberField& field) const {
    const YamlScalar& value = scalar();
    expect_number(value);
    double number = 0;
    const char* end = value.text.data() + value.text.size();
    const auto [stop, error] = std::from_chars(value.text.data(), end, number);
    if (error != std::errc() || stop != end || !std::isfinite(number)) refuse(value.text, "");
    field.at(job) = number;
  }
  void operator()(const BooleanField& field) const {
    const YamlScalar& value = scalar();
    if (!value.plain) refuse(value.text, ": write it without quotes");
    if (value.text != "true" && value.text != "false") refuse(value.text, "");
    field.at(job) = value.text == "true";
  }
  void operator()(const TextField& field) const { field.at(job) = text(scalar()); }
  void operator()(const ChoiceField& field) const {
    const std::string& word = scalar().text;
    for (size_t i = field.first; i < field.names.size(); ++i)
      if (field.names[i] == word) return field.set(job, i);
    const std::vector<std::string> words(field.names.begin() + static_cast<ptrdiff_t>(field.first),
                                         field.names.end());
    refuse(word, did_you_mean(nearest(word, words)));
  }
  void operator()(const IntegersField& field) const {
    expect_list();
    field.at(job).clear();
    for (const YamlScalar& value : entry.values) field.at(job).push_back(integer(value));
  }
  void operator()(const TextsField& field) const {
    expect_list();
    field.at(job).clear();
    for (const YamlScalar& value : entry.values) field.at(job).push_back(text(value));
  }
};

std::string quoted(std::string_view text) {
  const auto is_safe = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '/' ||
           c == '.';
  };
  const bool starts_well = !text.empty() && is_safe(text[0]) && text[0] != '.';
  const bool safe = std::all_of(text.begin(), text.end(), [&](char c) { return is_safe(c) || c == '-'; });
  if (starts_well && safe && !is_boolean_word(text)) return std::string(text);
  std::string result = "'";
  for (char c : text) result += c == '\'' ? "''" : std::string(1, c);
  return result + "'";
}

struct Written {
  Job& job;
  std::string operator()(const IntegerField& field) const { return fmt::format("{}", field.at(job)); }
  std::string operator()(const NumberField& field) const { return fmt::format("{}", field.at(job)); }
  std::string operator()(const BooleanField& field) const { return field.at(job) ? "true" : "false"; }
  std::string operator()(const TextField& field) const { return quoted(field.at(job)); }
  std::string operator()(const ChoiceField& field) const { return std::string(field.names[field.get(job)]); }
  std::string operator()(const IntegersField& field) const {
    return fmt::format("[{}]", fmt::join(field.at(job), ", "));
  }
  std::string operator()(const TextsField& field) const {
    std::vector<std::string> texts;
    for (const std::string& text : field.at(job)) texts.push_back(quoted(text));
    return fmt::format("[{}]", fmt::join(texts, ", "));
  }
};

}  // namespace

void assign(const Key& key, const YamlEntry& entry, Job& job) {
  std::visit(Assign{key, entry, job}, key.field);
}

std::string written(const Field& field, Job& job) {
  return std::visit(Written{job}, field);
}

}  // namespace pleat::config
