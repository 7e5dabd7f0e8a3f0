// SPDX-License-Identifier: Apache-2.0
// Bytes to tokens and back.
#include "data/bytes.h"

#include "base/errors.h"
#include "data/tokens.h"

namespace pleat::data {

using base::DataError;
using base::fail;

std::vector<int32_t> encode_bytes(std::string_view text) {
  std::vector<int32_t> tokens;
  tokens.reserve(text.size() + 1);
  for (char c : text) tokens.push_back(static_cast<unsigned char>(c));
  return tokens;
}

std::string decode_bytes(std::span<const int32_t> tokens) {
  std::string text;
  text.reserve(tokens.size());
  for (int32_t token : tokens) {
    if (token < 0) fail<DataError>("token id {} is no byte", token);
    if (token < kByteVocabulary) text.push_back(static_cast<char>(token));
  }
  return text;
}

TokenizeResult tokenize_bytes(std::span<const std::filesystem::path> inputs,
                              const std::filesystem::path& prefix, std::optional<int32_t> end_of_document,
                              const base::FaultPoint& fault) {
  if (end_of_document && *end_of_document < kByteVocabulary)
    fail<base::JobError>("end-of-document id {} is a byte: choose {} or above", *end_of_document,
                         kByteVocabulary);
  TokenWriter writer(prefix, end_of_document ? int64_t{*end_of_document} + 1 : kByteVocabulary, fault);
  TokenizeResult result;
  for (const std::filesystem::path& input : inputs) {
    std::vector<int32_t> tokens = encode_bytes(base::read_text(input));
    if (tokens.empty()) {
      ++result.empty_files;
      continue;
    }
    if (end_of_document) tokens.push_back(*end_of_document);
    writer.add_document(tokens);
  }
  if (writer.tokens() == 0)
    fail<DataError>("{}: nothing to tokenize: {} input files, none with a byte", prefix.string(),
                    inputs.size());
  writer.commit();
  result.documents = writer.documents();
  result.tokens = writer.tokens();
  return result;
}

}  // namespace pleat::data
