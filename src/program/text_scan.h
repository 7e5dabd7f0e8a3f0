// SPDX-License-Identifier: Apache-2.0
// Reads one line of a Program's text from left to right. Whatever does not fit is a DataError with the line,
// what was expected and what stands there instead. Numbers are bounded here, so that no text can make a
// reader overflow or ask for memory that its length does not justify.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pleat::program {

inline constexpr int64_t kMostBytes = int64_t{1} << 50;  // of an offset, an area, a region
inline constexpr int64_t kMostCount = int64_t{1} << 24;  // of events, micro-batches, stages

class LineScanner {
 public:
  LineScanner(std::string_view line, int number) : rest_(line), number_(number) { skip_spaces(); }

  bool done() const { return rest_.empty(); }
  /// Takes the word (up to the next space) or the characters if they stand here.
  bool accept(std::string_view word);
  bool accept_characters(std::string_view characters);
  bool at(std::string_view word) const;
  bool at_characters(std::string_view characters) const { return rest_.starts_with(characters); }
  void expect(std::string_view word);
  void expect_characters(std::string_view characters);
  /// Letters, digits, '_', '.', and '+' where asked for; not empty.
  std::string_view name(std::string_view what, std::string_view also = "");
  int64_t integer(std::string_view what, int64_t least, int64_t most);
  /// An integer stays one, a number with '.', 'e', "inf" or "nan" is a double. True for the double.
  bool number(int64_t& integer, double& number);
  std::string quoted(std::string_view what);
  /// "none" or integers with commas between.
  std::vector<int64_t> integers(std::string_view what, int64_t least, int64_t most);
  void expect_end();
  void skip_spaces();
  [[noreturn]] void fail(std::string_view expected) const;
  int line() const { return number_; }

 private:
  std::string_view rest_;
  int number_;
};

}  // namespace pleat::program
