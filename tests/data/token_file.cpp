// SPDX-License-Identifier: Apache-2.0
// Megatron's two files, byte by byte; and every way in which they can be wrong.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <optional>

#include "../checkpoint/temporary_folder.h"
#include "base/errors.h"
#include "data/tokens.h"

namespace pleat::data {
namespace {

using base::DataError;
using testing::contents;
using testing::error_of;
using testing::put;
using testing::TemporaryFolder;

using Documents = std::vector<std::vector<int32_t>>;

void write(const std::filesystem::path& prefix, const Documents& documents, int64_t vocabulary) {
  TokenWriter writer(prefix, vocabulary);
  for (const auto& document : documents) writer.add_document(document);
  writer.commit();
}

template <class T>
void add(std::string& text, T value) {
  text.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// An index by the format's description, not by our writer.
struct Index {
  uint64_t version = 1;
  uint8_t code = 8;
  std::vector<int32_t> lengths{3, 2};
  std::vector<int64_t> pointers{0, 6};
  std::vector<int64_t> documents{0, 1, 2};
  std::optional<uint64_t> sequences, entries;  // said otherwise than they are
  std::string text() const {
    std::string result("MMIDIDX\0\0", 9);
    add(result, version);
    add(result, code);
    add(result, sequences.value_or(lengths.size()));
    add(result, entries.value_or(documents.size()));
    for (int32_t x : lengths) add(result, x);
    for (int64_t x : pointers) add(result, x);
    for (int64_t x : documents) add(result, x);
    return result;
  }
};

std::string shorts(const std::vector<uint16_t>& tokens) {
  std::string text;
  for (uint16_t token : tokens) add(text, token);
  return text;
}

TEST(TokenWriter, WritesWhatMegatronWrites) {
  const TemporaryFolder folder;
  write(folder / "t", {{1, 2, 65000}, {4, 5}}, 65001);
  EXPECT_EQ(contents(folder / "t.bin"), shorts({1, 2, 65000, 4, 5}));
  EXPECT_EQ(contents(folder / "t.idx"), Index{}.text());
  write(folder / "w", {{70000}}, 70001);
  EXPECT_EQ(contents(folder / "w.bin"), std::string("\x70\x11\x01\x00", 4));
  EXPECT_EQ(contents(folder / "w.idx"), (Index{1, 4, {1}, {0}, {0, 1}, {}, {}}.text()));
  EXPECT_EQ(TokenFile(folder / "w").type(), TokenType::i32);
}

TEST(TokenWriter, TheTypeFollowsTheVocabulary) {
  const TemporaryFolder folder;
  for (const auto& [vocabulary, type] : {std::pair{65499, TokenType::u16}, {65500, TokenType::i32}}) {
    write(folder / "t", {{0}}, vocabulary);
    EXPECT_EQ(TokenFile(folder / "t").type(), type);
  }
}

TEST(TokenWriter, RefusesForeignIdsAndNothing) {
  const TemporaryFolder folder;
  {
    TokenWriter writer(folder / "t", 256);
    const std::vector<int32_t> high{1, 256}, low{-1};
    EXPECT_NE(error_of<DataError>([&] {
                writer.add_document(high);
              }).find("document 0: token id 256 is outside the vocabulary of 256"),
              std::string::npos);
    EXPECT_THROW(writer.add_document(low), DataError);
  }
  TokenWriter empty(folder / "t", 256);
  empty.add_document({});
  EXPECT_THROW(empty.commit(), DataError);
  EXPECT_FALSE(std::filesystem::exists(folder / "t.idx"));
}

TEST(TokenFile, RoundTripWithEmptyDocuments) {
  const TemporaryFolder folder;
  const Documents documents{{}, {5, 6, 7}, {}, {}, {8}, {9, 10}, {}};
  write(folder / "t", documents, 300);
  const TokenFile file(folder / "t");
  EXPECT_EQ(file.tokens(), 6);
  ASSERT_EQ(file.documents(), 7);
  std::vector<int32_t> tokens(6);
  file.read(0, tokens);
  EXPECT_EQ(tokens, (std::vector<int32_t>{5, 6, 7, 8, 9, 10}));
  const std::vector<int64_t> begins{0, 0, 3, 3, 3, 4, 6, 6};
  for (int64_t d = 0; d <= 7; ++d) EXPECT_EQ(file.document_begin(d), begins[static_cast<size_t>(d)]);
  const std::vector<int64_t> owners{1, 1, 1, 4, 5, 5};
  for (int64_t t = 0; t < 6; ++t) EXPECT_EQ(file.document_of(t), owners[static_cast<size_t>(t)]);
  EXPECT_THROW(file.read(5, tokens), DataError);
  EXPECT_THROW(file.read(-1, std::span(tokens).first(1)), DataError);
  EXPECT_THROW(file.read(std::numeric_limits<int64_t>::max(), std::span(tokens).first(1)), DataError);
  EXPECT_THROW(file.document_of(6), DataError);
  file.check_vocabulary(11);
  EXPECT_NE(error_of<DataError>([&] {
              file.check_vocabulary(10);
            }).find("token 5 has id 10; the model's vocabulary has 10"),
            std::string::npos);
}

TEST(TokenFile, SeveralSequencesOfADocumentAndOtherTypes) {
  const TemporaryFolder folder;
  Index index;
  index.documents = {0, 2};
  put(folder / "t.bin", shorts({1, 2, 3, 4, 5}));
  put(folder / "t.idx", index.text());
  EXPECT_EQ(TokenFile(folder / "t").documents(), 1);
  EXPECT_EQ(TokenFile(folder / "t").document_begin(1), 5);

  std::string longs;
  for (int64_t token : {int64_t{7}, int64_t{-1}, int64_t{1} << 31}) add(longs, token);
  put(folder / "l.bin", longs);
  put(folder / "l.idx", (Index{1, 5, {3}, {0}, {0, 1}, {}, {}}.text()));
  const TokenFile file(folder / "l");
  std::vector<int32_t> one(1);
  file.read(0, one);
  EXPECT_EQ(one[0], 7);
  EXPECT_NE(error_of<DataError>([&] { file.read(1, one); }).find("token id -1 is outside"),
            std::string::npos);
  EXPECT_NE(error_of<DataError>([&] { file.read(2, one); }).find("token id 2147483648 is outside"),
            std::string::npos);
}

std::string error_of_files(const std::string& index, const std::string& data) {
  const TemporaryFolder folder;
  put(folder / "t.bin", data);
  put(folder / "t.idx", index);
  return error_of<DataError>([&] { TokenFile file(folder / "t"); });
}

TEST(TokenFile, NamesEachFault) {
  const std::string data = shorts({1, 2, 3, 4, 5});
  const auto error_with = [&](auto change) {
    Index index;
    change(index);
    return error_of_files(index.text(), data);
  };
  const auto expect = [](const std::string& text, std::string_view part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  static constexpr uint64_t kHuge = ~uint64_t{0};
  EXPECT_EQ(error_of_files(Index{}.text(), data), "");
  expect(error_of_files("", data), "t.idx: 0 bytes; an index has at least 34");
  expect(error_of_files(std::string(100, 'x'), data), "does not begin with MMIDIDX");
  expect(error_with([](Index& i) { i.version = 2; }), "index version 2 is unknown");
  expect(error_with([](Index& i) { i.code = 7; }), "dtype code 7");
  expect(error_with([](Index& i) { i.code = 0; }), "dtype code 0");
  expect(error_with([](Index& i) { i.sequences = kHuge; }), "18446744073709551615 sequences");
  expect(error_with([](Index& i) { i.entries = kHuge; }), "18446744073709551615 document entries");
  expect(error_with([](Index& i) { i.sequences = 3; }), "(truncated?)");
  expect(error_with([](Index& i) { i.entries = 0; }), "has no list of documents");
  expect(error_with([](Index& i) { i.lengths[1] = -2; }), "sequence 1 has length -2");
  expect(error_with([](Index& i) { i.lengths[1] = 2147483647; }),
         "sequence 1 of 2147483647 tokens at byte 6 exceeds");
  expect(error_with([](Index& i) { i.pointers[1] = 4; }),
         "sequence 1 starts at byte 4, the one before ends at 6");
  expect(error_with([](Index& i) { i.pointers[0] = -6; }), "sequence 0 starts at byte -6");
  expect(error_with([](Index& i) { i.lengths[1] = 1; }), "end at byte 8, the .bin file has 10");
  expect(error_with([](Index& i) { i.documents = {0, 2, 1}; }), "document 2 starts at sequence 1, after 2");
  expect(error_with([](Index& i) { i.documents = {0, 1, 3}; }), "document 2 starts at sequence 3");
  expect(error_with([](Index& i) { i.documents = {1, 2}; }), "document 0 starts at sequence 1");
  expect(error_with([](Index& i) { i.documents = {0, 1}; }), "the documents end at sequence 1 of 2");
  expect(error_of_files(Index{}.text() + std::string(2, '\0'), data), "sequence modes (multimodal");
  expect(error_of_files(Index{}.text() + "x", data), "(truncated?)");
  expect(error_of_files(Index{}.text(), data.substr(0, 7)), "exceeds the .bin file of 7 bytes (truncated?)");
  expect(error_of_files(Index{1, 8, {}, {}, {0}, {}, {}}.text(), ""), "t.bin: has no tokens");
}

TEST(TokenFile, EveryTruncationAndAMissingFileAreErrors) {
  const std::string data = shorts({1, 2, 3, 4, 5}), index = Index{}.text();
  for (size_t n = 0; n < index.size(); ++n) EXPECT_NE(error_of_files(index.substr(0, n), data), "") << n;
  for (size_t n = 0; n < data.size(); ++n) EXPECT_NE(error_of_files(index, data.substr(0, n)), "") << n;
  const TemporaryFolder folder;
  const auto error = [&] { return error_of<DataError>([&] { TokenFile file(folder / "t"); }); };
  EXPECT_NE(error().find("t.bin: cannot open it: No such file"), std::string::npos);
  put(folder / "t.bin", data);
  EXPECT_NE(error().find("t.idx: cannot open it: No such file"), std::string::npos);
}

TEST(TokenWriter, AFailureNeverPairsNewDataWithAnOldIndex) {
  for (int at = 0;; ++at) {
    const TemporaryFolder folder;
    write(folder / "t", {{1, 2}, {3}}, 256);
    int calls = 0;
    try {
      TokenWriter writer(folder / "t", 256, [&](std::string_view) {
        if (calls++ == at) throw DataError("injected");
      });
      writer.add_document(std::vector<int32_t>{4});
      writer.add_document(std::vector<int32_t>{5, 6});  // as many bytes as before, other documents
      writer.commit();
      EXPECT_GE(at, 9);
      return;
    } catch (const DataError&) {
    }
    try {
      const TokenFile file(folder / "t");
      std::vector<int32_t> tokens(3);
      file.read(0, tokens);
      EXPECT_EQ(file.document_begin(1), tokens[0] == 1 ? 2 : 1) << at;
    } catch (const DataError&) {  // no index: a named error, not a wrong pair
    }
  }
}

}  // namespace
}  // namespace pleat::data
