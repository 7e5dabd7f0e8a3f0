// SPDX-License-Identifier: Apache-2.0
// The split depends on names alone; the two measures are right on texts whose answer is known.
#include "data/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "../checkpoint/temporary_folder.h"
#include "base/errors.h"

namespace pleat::data {
namespace {

using base::DataError;
using testing::put;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

TEST(Split, HoldsBackAboutTheShare) {
  constexpr int kNames = 10'000;
  for (const double share : {0.0, 0.05, 0.5, 1.0}) {
    int count = 0;
    for (int i = 0; i < kNames; ++i)
      count += held_back("library/file" + std::to_string(i) + ".rst", share) ? 1 : 0;
    const double deviation = std::sqrt(kNames * share * (1 - share));
    EXPECT_NEAR(count, kNames * share, 5 * deviation) << share;
  }
}

TEST(Split, GrowsWithTheShareAndMovesNoFileWhenOthersCome) {
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "a" + std::to_string(i);
    if (held_back(name, 0.1)) {
      EXPECT_TRUE(held_back(name, 0.2));
    }
  }
  std::vector<fs::path> few, many;
  for (int i = 0; i < 200; ++i) {
    many.push_back(fs::path("/root/x") / ("f" + std::to_string(i)));
    if (i % 2 == 0) few.push_back(many.back());
  }
  const Split small = split_files(few, "/root/x", 0.3), large = split_files(many, "/root/x", 0.3);
  EXPECT_EQ(small.train.size() + small.held_back.size(), 100u);
  for (const fs::path& file : small.held_back)
    EXPECT_NE(std::ranges::find(large.held_back, file), large.held_back.end());
  // Where the files lie does not matter.
  std::vector<fs::path> moved;
  for (int i = 0; i < 200; ++i) moved.push_back(fs::path("elsewhere") / ("f" + std::to_string(i)));
  const Split other = split_files(moved, "elsewhere", 0.3);
  ASSERT_EQ(other.held_back.size(), large.held_back.size());
  for (size_t i = 0; i < other.held_back.size(); ++i)
    EXPECT_EQ(other.held_back[i].filename(), large.held_back[i].filename());
  EXPECT_THROW(split_files(few, "/root/x", 0.0), DataError);
  EXPECT_THROW(split_files(few, "/root/x", 1.0), DataError);
}

TEST(Split, ListsFilesInOrder) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "b/c");
  put(folder / "b/c/2.rst", "two");
  put(folder / "a.rst", "one");
  put(folder / "b/x.txt", "no");
  const std::vector<fs::path> files = files_below(folder.path(), ".rst");
  EXPECT_EQ(files, (std::vector<fs::path>{folder / "a.rst", folder / "b/c/2.rst"}));
  EXPECT_EQ(concatenated(files), "onetwo");
  EXPECT_THROW(files_below(folder.path(), ".py"), DataError);
  EXPECT_THROW(files_below(folder / "none", ""), DataError);
}

TEST(Overlap, CountsContentLinesOnly) {
  const std::string forty(40, 'a'), long_a(41, 'a'), long_b(50, 'b'), long_c(60, 'c');
  const std::string training = forty + "\n   " + long_a + "\t\n" + long_c + long_c + "\n" + long_b;
  const Overlap none = overlap("", training);
  EXPECT_EQ(none.lines, 0);
  EXPECT_EQ(none.share(), 0.0);
  const Overlap some =
      overlap(forty + "\n" + long_a + "\r\n" + long_b + "\n" + long_c + "\n" + long_b, training);
  EXPECT_EQ(some.lines, 4);   // not the one of 40
  EXPECT_EQ(some.shared, 3);  // a, and b twice; c is part of a line, not one
  EXPECT_EQ(some.share(), 0.75);
}

TEST(Entropy, OfKnownTexts) {
  EXPECT_EQ(unigram_entropy(""), 0.0);
  EXPECT_EQ(unigram_entropy("aaaa"), 0.0);
  EXPECT_EQ(unigram_entropy("abab"), 1.0);
  EXPECT_EQ(unigram_entropy("aabc"), 1.5);
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  EXPECT_EQ(unigram_entropy(all), 8.0);
}

}  // namespace
}  // namespace pleat::data
