// SPDX-License-Identifier: Apache-2.0
// Every byte is a token and comes back.
#include "data/bytes.h"

#include <gtest/gtest.h>

#include "../checkpoint/temporary_folder.h"
#include "base/errors.h"
#include "data/tokens.h"

namespace pleat::data {
namespace {

using base::DataError;
using testing::put;
using testing::TemporaryFolder;

std::string all_bytes() {
  std::string text;
  for (int c = 0; c < 256; ++c) text.push_back(static_cast<char>(c));
  return text;
}

TEST(Bytes, RoundTripOfEveryByte) {
  const std::vector<int32_t> tokens = encode_bytes(all_bytes());
  for (int32_t i = 0; i < 256; ++i) EXPECT_EQ(tokens[static_cast<size_t>(i)], i);
  EXPECT_EQ(decode_bytes(tokens), all_bytes());
  EXPECT_EQ(decode_bytes(std::vector<int32_t>{104, 256, 105}), "hi");
  EXPECT_THROW(decode_bytes(std::vector<int32_t>{-1}), DataError);
}

TEST(Bytes, OneDocumentPerFileEmptyOnesSkipped) {
  const TemporaryFolder folder;
  put(folder / "a", all_bytes());
  put(folder / "b", "");
  put(folder / "c", "xyz");
  const std::vector<std::filesystem::path> inputs{folder / "a", folder / "b", folder / "c"};
  const TokenizeResult result = tokenize_bytes(inputs, folder / "t");
  EXPECT_EQ(result.documents, 2);
  EXPECT_EQ(result.tokens, 259);
  EXPECT_EQ(result.empty_files, 1);
  const TokenFile file(folder / "t");
  std::vector<int32_t> tokens(259);
  file.read(0, tokens);
  EXPECT_EQ(decode_bytes(tokens), all_bytes() + "xyz");
  EXPECT_EQ(file.document_begin(1), 256);

  EXPECT_EQ(tokenize_bytes(inputs, folder / "e", 256).tokens, 261);
  const TokenFile ended(folder / "e");
  ended.read(0, tokens);
  EXPECT_EQ(tokens[256], 256);
  EXPECT_EQ(ended.document_begin(1), 257);
}

TEST(Bytes, RefusesNothingMissingFilesAndAByteAsEnd) {
  const TemporaryFolder folder;
  put(folder / "b", "");
  const std::vector<std::filesystem::path> empty{folder / "b"}, missing{folder / "none"};
  EXPECT_THROW(tokenize_bytes(empty, folder / "t"), DataError);
  EXPECT_THROW(tokenize_bytes({}, folder / "t"), DataError);
  EXPECT_THROW(tokenize_bytes(missing, folder / "t"), DataError);
  EXPECT_THROW(tokenize_bytes(empty, folder / "t", 255), base::JobError);
  EXPECT_FALSE(std::filesystem::exists(folder / "t.bin"));
  EXPECT_FALSE(std::filesystem::exists(folder / "t.bin.partial"));
}

}  // namespace
}  // namespace pleat::data
