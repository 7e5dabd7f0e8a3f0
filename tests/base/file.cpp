// SPDX-License-Identifier: Apache-2.0
// Files: what is read, what appears, and what a failure leaves.
#include "base/file.h"

#include <gtest/gtest.h>

#include <limits>

#include "../checkpoint/temporary_folder.h"
#include "base/errors.h"

namespace pleat::base {
namespace {

using testing::contents;
using testing::error_of;
using testing::put;
using testing::TemporaryFolder;

TEST(InputFile, ReadsRangesAndRefusesOthers) {
  const TemporaryFolder folder;
  put(folder / "x", "0123456789");
  const InputFile file(folder / "x");
  EXPECT_EQ(file.size(), 10);
  std::string text(3, ' ');
  const auto into = std::as_writable_bytes(std::span(text));
  file.read(7, into);
  EXPECT_EQ(text, "789");
  file.read(10, into.first(0));
  for (int64_t offset : {int64_t{-1}, int64_t{8}, std::numeric_limits<int64_t>::max()})
    EXPECT_THROW(file.read(offset, into), DataError);
}

TEST(InputFile, NamesAMissingOneAndAFolder) {
  const TemporaryFolder folder;
  EXPECT_NE(
      error_of<DataError>([&] { InputFile file(folder / "x"); }).find("x: cannot open it: No such file"),
      std::string::npos);
  EXPECT_NE(error_of<DataError>([&] { MappedFile file(folder.path()); }).find("is not a file"),
            std::string::npos);
  EXPECT_THROW(InputFile("/dev/null"), DataError);
}

TEST(MappedFile, MapsAnEmptyFileToo) {
  const TemporaryFolder folder;
  put(folder / "x", "");
  EXPECT_EQ(MappedFile(folder / "x").bytes().size(), 0u);
  put(folder / "y", "abc");
  EXPECT_EQ(static_cast<char>(MappedFile(folder / "y").bytes()[2]), 'c');
}

TEST(OutputFile, AppearsWithCommitOnly) {
  const TemporaryFolder folder;
  put(folder / "x", "old");
  {
    OutputFile file(folder / "x");
    file.append(std::as_bytes(std::span("new", 3)));
    EXPECT_EQ(contents(folder / "x"), "old");
  }
  EXPECT_EQ(contents(folder / "x"), "old");
  OutputFile file(folder / "x");
  file.write(3, std::as_bytes(std::span("er", 2)));
  file.append(std::as_bytes(std::span("new", 3)));
  EXPECT_EQ(file.position(), 3);
  file.commit();
  EXPECT_EQ(contents(folder / "x"), "newer");
  EXPECT_FALSE(std::filesystem::exists(folder / "x.partial"));
  EXPECT_THROW(OutputFile(folder / "none/x"), DataError);
}

TEST(OutputFile, CallsTheFaultPointsInOrder) {
  const TemporaryFolder folder;
  std::vector<std::string> points;
  write_text(folder / "x", "text", [&](std::string_view point) { points.emplace_back(point); });
  const std::vector<std::string> expected{"create x", "write x", "sync x", "rename x",
                                          "sync folder " + folder.path().filename().string()};
  EXPECT_EQ(points, expected);
  EXPECT_EQ(read_text(folder / "x"), "text");
  EXPECT_THROW(read_text(folder / "x", 3), DataError);
}

}  // namespace
}  // namespace pleat::base
