// SPDX-License-Identifier: Apache-2.0
// pleat data, from a folder of files to token files.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "base/file.h"
#include "data/tokens.h"
#include "program.h"

namespace pleat::cli {
namespace {

constexpr int kFiles = 120;

/// Files whose lines occur nowhere else, unless they are the same in all.
void write_texts(const Folder& folder, const std::string& shared_line = "") {
  for (int i = 0; i < kFiles; ++i)
    folder.write(fmt::format("text/{}/page {}.txt", i % 3, i),
                 fmt::format("this line stands in file number {} and in no other one\n{}", i, shared_line));
}

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  const std::string text = base::read_text(path);
  for (size_t begin = 0; begin < text.size(); begin = text.find('\n', begin) + 1)
    lines.push_back(text.substr(begin, text.find('\n', begin) - begin));
  return lines;
}

Outcome split(const Folder& folder) {
  return run_pleat({"data", "split", "text", "--held-out-share", "0.2", "--train", "train.list", "--held-out",
                    "held_out.list"},
                   folder.path());
}

TEST(Data, FromFilesToTokens) {
  const Folder folder;
  write_texts(folder);
  const Outcome outcome = split(folder);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("0.0 %"), std::string::npos) << outcome.out;
  const std::vector<std::string> train = lines_of(folder / "train.list"),
                                 held_out = lines_of(folder / "held_out.list");
  EXPECT_EQ(train.size() + held_out.size(), static_cast<size_t>(kFiles));
  // A share of 0.2 of 120 names: within six deviations of the binomial law.
  EXPECT_NEAR(static_cast<double>(held_out.size()), 24, 6 * 4.4);
  std::set<std::string> all(train.begin(), train.end());
  all.insert(held_out.begin(), held_out.end());
  EXPECT_EQ(all.size(), static_cast<size_t>(kFiles));

  const Outcome tokenized = run_pleat(
      {"data", "tokenize", "@held_out.list", "--tokenizer", "bytes", "--out", "held_out"}, folder.path());
  ASSERT_EQ(tokenized.code, 0) << tokenized.err;
  const data::TokenFile file(folder.path() / "held_out");
  EXPECT_EQ(file.documents(), static_cast<int64_t>(held_out.size()));
  const std::string first = base::read_text(folder.path() / held_out[0]);
  std::vector<int32_t> tokens(first.size());
  file.read(0, tokens);
  EXPECT_EQ(std::string(tokens.begin(), tokens.end()), first);
}

TEST(Data, ASplitWhoseSidesShareTheirLinesIsAnsweredNo) {
  const Folder folder;
  write_texts(folder, "and this one, which is longer than forty bytes, stands in all of them\n");
  const Outcome outcome = split(folder);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.out.find("50.0 %"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("above 5.0 %"), std::string::npos) << outcome.out;
}

TEST(Data, EntropyOfBytes) {
  const Folder folder;
  folder.write("a", "abababab");
  folder.write("b", "cdcdcdcd");
  const Outcome outcome = run_pleat({"data", "entropy", "a", "b"}, folder.path());
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "16 bytes, unigram entropy 2.000 bits per byte\n");
}

}  // namespace
}  // namespace pleat::cli
