// SPDX-License-Identifier: Apache-2.0
#include "golden.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/file.h"

namespace pleat::compile {
namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// common[i][j]: lines that the rest of a from i and the rest of b from j have in common, in order.
std::vector<std::vector<int>> common_lines(const Lines& a, const Lines& b) {
  std::vector common(a.size() + 1, std::vector<int>(b.size() + 1, 0));
  for (size_t i = a.size(); i-- > 0;)
    for (size_t j = b.size(); j-- > 0;)
      common[i][j] = a[i] == b[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
  return common;
}

/// Every line of both, marked by its first character.
Lines merged(const Lines& a, const Lines& b) {
  const auto common = common_lines(a, b);
  Lines all;
  size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j])
      all.push_back("  " + a[i++]), ++j;
    else if (i < a.size() && (j == b.size() || common[i + 1][j] >= common[i][j + 1]))
      all.push_back("- " + a[i++]);
    else
      all.push_back("+ " + b[j++]);
  }
  return all;
}

}  // namespace

std::string difference(const std::string& before, const std::string& after) {
  const Lines all = merged(lines_of(before), lines_of(after));
  const auto changed = [&](size_t n) { return n < all.size() && all[n][0] != ' '; };
  std::string text;
  size_t last = 0;  // one past the last line written
  for (size_t n = 0; n < all.size(); ++n) {
    if (!changed(n) && !changed(n + 1) && !(n > 0 && changed(n - 1))) continue;
    if (n > last) text += "...\n";
    text += all[n] + "\n";
    last = n + 1;
  }
  return text;
}

void expect_golden(const std::string& text, const std::string& name) {
  const std::filesystem::path path = std::filesystem::path(PLEAT_SOURCE_DIR) / "tests/goldens" / name;
  if (std::getenv("PLEAT_REWRITE") != nullptr) std::ofstream(path) << text;
  ASSERT_TRUE(std::filesystem::exists(path)) << path << " is missing; PLEAT_REWRITE=1 writes it";
  const Lines have = lines_of(text), want = lines_of(base::read_text(path));
  for (size_t line = 0; line < std::min(have.size(), want.size()); ++line)
    ASSERT_EQ(have[line], want[line]) << path << ":" << line + 1 << "; PLEAT_REWRITE=1 rewrites it";
  EXPECT_EQ(have.size(), want.size()) << path << "; PLEAT_REWRITE=1 rewrites it";
}

}  // namespace pleat::compile
