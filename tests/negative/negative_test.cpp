// SPDX-License-Identifier: Apache-2.0
// Hand-written Programs. Each *.program is accepted as it stands, and refused after any one of the changes
// that its lines "# refuse PROPERTY: "this" -> "that"" name; the property that refuses is the one named.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "base/errors.h"
#include "program/program.h"
#include "verify/verify.h"

namespace pleat::verify {
namespace {

struct Change {
  std::string property, from, to;
};

struct HandWritten {
  std::string name;
  std::string text;
  std::vector<Change> changes;
};
void PrintTo(const HandWritten& program, std::ostream* stream) {
  *stream << program.name;
}

std::string unquoted(const std::string& text) {
  return std::regex_replace(text, std::regex(R"(\\")"), "\"");
}

HandWritten read(const std::filesystem::path& path) {
  HandWritten result{path.stem().string(), {}, {}};
  std::ifstream file(path);
  const std::regex refuse(R"re(# refuse (\S+): "(.*)" -> "(.*)")re");
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (std::regex_match(line, match, refuse))
      result.changes.push_back({match[1], unquoted(match[2]), unquoted(match[3])});
    else
      EXPECT_FALSE(line.starts_with("# refuse")) << path << ": " << line;
    if (!line.starts_with("#")) result.text += line + "\n";
  }
  return result;
}

std::vector<HandWritten> all() {
  std::vector<HandWritten> programs;
  for (const auto& entry : std::filesystem::directory_iterator(PLEAT_SOURCE_DIR "/tests/negative"))
    if (entry.path().extension() == ".program") programs.push_back(read(entry.path()));
  return programs;
}

class Negative : public testing::TestWithParam<HandWritten> {};

TEST_P(Negative, IsAcceptedAsItStands) {
  const program::Program program = program::from_text(GetParam().text);
  const Report report = verify(program);
  EXPECT_TRUE(report.ok()) << to_text(report);
  EXPECT_EQ(program::from_text(program::to_text(program)), program);
}

TEST_P(Negative, EveryChangeIsRefused) {
  for (const Change& change : GetParam().changes) {
    std::string text = GetParam().text;
    const size_t at = text.find(change.from);
    ASSERT_NE(at, std::string::npos) << change.from;
    text.replace(at, change.from.size(), change.to);
    std::vector<std::string> properties;
    std::string told;
    try {
      const Report report = verify(program::from_text(text));
      for (const Issue& issue : report.issues) properties.push_back(issue.property);
      told = to_text(report);
    } catch (const base::DataError& error) {
      properties.push_back("format");
      told = error.what();
    }
    EXPECT_NE(std::find(properties.begin(), properties.end(), change.property), properties.end())
        << change.property << " should refuse: " << change.from << " -> " << change.to << "\n"
        << told;
  }
}

INSTANTIATE_TEST_SUITE_P(HandWritten, Negative, testing::ValuesIn(all()),
                         [](const auto& which) { return which.param.name; });

}  // namespace
}  // namespace pleat::verify
