// SPDX-License-Identifier: Apache-2.0
// Token files in Megatron's format: <prefix>.bin holds the tokens back to back, <prefix>.idx where each
// document lies. Both are mapped; the index is checked against both sizes when it is opened, so no later
// access needs a check.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace pleat::data {

/// Codes of the format.
enum class TokenType : uint8_t { u8 = 1, i8 = 2, i16 = 3, i32 = 4, i64 = 5, f64 = 6, f32 = 7, u16 = 8 };
/// Bytes of one token.
int64_t size_of(TokenType type);

/// What the header of an .idx file says.
struct IndexHeader {
  TokenType type;
  int64_t sequences;
  int64_t document_entries;  // documents + 1
};
/// Checks a whole .idx file against the size of its .bin: magic, version, counts, pointers, documents.
IndexHeader check_index(std::span<const std::byte> index, int64_t data_bytes, std::string_view where);

class TokenFile {
 public:
  /// `<prefix>.bin` and `<prefix>.idx`. DataError when either is missing, empty, truncated or of another
  /// format, or when a token is negative or does not fit 32 bits on reading it.
  explicit TokenFile(const std::filesystem::path& prefix);
  const std::filesystem::path& prefix() const { return prefix_; }
  TokenType type() const { return header_.type; }
  int64_t tokens() const { return tokens_; }
  int64_t documents() const { return header_.document_entries - 1; }
  /// Position of the first token of a document; document = documents() gives tokens().
  int64_t document_begin(int64_t document) const;
  /// The document that holds the token at this position. Logarithmic.
  int64_t document_of(int64_t position) const;
  /// Tokens [begin, begin + into.size()). Allocates nothing.
  void read(int64_t begin, std::span<int32_t> into) const;
  /// CheckError-free look at the whole file: DataError naming position and id when a token is >= vocabulary.
  void check_vocabulary(int64_t vocabulary) const;

 private:
  std::filesystem::path prefix_;
  base::MappedFile data_;
  base::MappedFile index_;
  IndexHeader header_;
  int64_t tokens_ = 0;
};

/// Writes both files; they appear under their names when commit() returns, the index last.
class TokenWriter {
 public:
  /// The type follows from the vocabulary, as in Megatron: u16 below 65,500, else i32.
  TokenWriter(const std::filesystem::path& prefix, int64_t vocabulary, base::FaultPoint fault = {});
  ~TokenWriter();
  /// One document, one sequence. DataError when a token is outside the vocabulary.
  void add_document(std::span<const int32_t> tokens);
  int64_t tokens() const { return tokens_; }
  int64_t documents() const { return static_cast<int64_t>(lengths_.size()); }
  void commit();

 private:
  void flush();
  std::filesystem::path prefix_;
  int64_t vocabulary_;
  TokenType type_;
  base::FaultPoint fault_;
  base::OutputFile data_;
  std::vector<std::byte> pending_;
  std::vector<int32_t> lengths_;
  int64_t tokens_ = 0;
};

}  // namespace pleat::data
