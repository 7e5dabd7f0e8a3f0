// SPDX-License-Identifier: Apache-2.0
#include "program/text_scan.h"

#include <algorithm>
#include <charconv>

#include "base/errors.h"

namespace pleat::program {
namespace {

bool in_a_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

void LineScanner::skip_spaces() {
  rest_.remove_prefix(std::min(rest_.size(), rest_.find_first_not_of(' ')));
}

void LineScanner::fail(std::string_view expected) const {
  std::string found(rest_.substr(0, std::min<size_t>(rest_.find(' '), 40)));
  for (char& c : found)
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  base::fail<base::DataError>("line {}: expected {}, found {}", number_, expected,
                              rest_.empty() ? std::string("the end of the line") : "'" + found + "'");
}

bool LineScanner::accept_characters(std::string_view characters) {
  if (!rest_.starts_with(characters)) return false;
  rest_.remove_prefix(characters.size());
  return true;
}

bool LineScanner::at(std::string_view word) const {
  return rest_.starts_with(word) && (rest_.size() == word.size() || rest_[word.size()] == ' ');
}

bool LineScanner::accept(std::string_view word) {
  if (!at(word)) return false;
  rest_.remove_prefix(word.size());
  skip_spaces();
  return true;
}

void LineScanner::expect(std::string_view word) {
  if (!accept(word)) fail(fmt::format("'{}'", word));
}

void LineScanner::expect_characters(std::string_view characters) {
  if (!accept_characters(characters)) fail(fmt::format("'{}'", characters));
}

std::string_view LineScanner::name(std::string_view what, std::string_view also) {
  size_t length = 0;
  while (length < rest_.size() && (in_a_name(rest_[length]) || also.find(rest_[length]) != also.npos))
    ++length;
  if (length == 0) fail(what);
  const std::string_view result = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return result;
}

int64_t LineScanner::integer(std::string_view what, int64_t least, int64_t most) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
  if (error != std::errc() || value < least || value > most)
    fail(fmt::format("{} from {} to {}", what, least, most));
  rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
  return value;
}

bool LineScanner::number(int64_t& integer, double& number) {
  const size_t length = std::min(rest_.size(), rest_.find_first_of(" ,}"));
  const char *begin = rest_.data(), *end = begin + length;
  const auto whole = std::from_chars(begin, end, integer);
  const bool is_integer = whole.ec == std::errc() && whole.ptr == end;
  if (!is_integer) {
    const auto real = std::from_chars(begin, end, number);
    if (real.ec != std::errc() || real.ptr != end) fail("a number");
  }
  rest_.remove_prefix(length);
  return !is_integer;
}

std::string LineScanner::quoted(std::string_view what) {
  if (!accept_characters("\"")) fail(fmt::format("{} in quotes", what));
  std::string text;
  while (true) {
    if (rest_.empty()) fail(fmt::format("the closing quote of {}", what));
    char c = rest_.front();
    rest_.remove_prefix(1);
    if (c == '"') break;
    if (c == '\\') {
      if (accept_characters("x")) {
        const int high = rest_.empty() ? -1 : hex_digit(rest_[0]),
                  low = rest_.size() < 2 ? -1 : hex_digit(rest_[1]);
        if (high < 0 || low < 0) fail("two hexadecimal digits");
        c = static_cast<char>(high * 16 + low);
        rest_.remove_prefix(2);
      } else if (!rest_.empty() && (rest_.front() == '"' || rest_.front() == '\\')) {
        c = rest_.front();
        rest_.remove_prefix(1);
      } else {
        fail("a quote, a backslash or x after a backslash");
      }
    }
    text += c;
  }
  skip_spaces();
  return text;
}

std::vector<int64_t> LineScanner::integers(std::string_view what, int64_t least, int64_t most) {
  std::vector<int64_t> values;
  if (accept("none")) return values;
  do values.push_back(integer(what, least, most));
  while (accept_characters(","));
  skip_spaces();
  return values;
}

void LineScanner::expect_end() {
  if (!done()) fail("the end of the line");
}

}  // namespace pleat::program
