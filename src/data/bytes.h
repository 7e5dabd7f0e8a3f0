// SPDX-License-Identifier: Apache-2.0
// The tokenizer that needs no vocabulary file: a token is a byte.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace pleat::data {

inline constexpr int32_t kByteVocabulary = 256;

std::vector<int32_t> encode_bytes(std::string_view text);
/// Ids of 256 and above (an end-of-document id) give no byte; a negative id is a DataError.
std::string decode_bytes(std::span<const int32_t> tokens);

struct TokenizeResult {
  int64_t documents = 0;
  int64_t tokens = 0;
  int64_t empty_files = 0;  // skipped: a document has at least one token
};
/// One document per input file, in the order given, into <prefix>.bin/.idx. With `end_of_document` (>= 256)
/// that id ends every document. DataError when no input has a byte.
TokenizeResult tokenize_bytes(std::span<const std::filesystem::path> inputs,
                              const std::filesystem::path& prefix,
                              std::optional<int32_t> end_of_document = std::nullopt,
                              const base::FaultPoint& fault = {});

}  // namespace pleat::data
