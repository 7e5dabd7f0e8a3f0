// SPDX-License-Identifier: Apache-2.0
// Reading token files. The arrays of the index start at byte 34, so nothing in it is aligned.
#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "base/errors.h"
#include "data/tokens.h"

namespace pleat::data {
namespace {

using base::DataError;
using base::fail;

constexpr std::string_view kMagic("MMIDIDX\0\0", 9);
constexpr int64_t kHeaderBytes = 34;

template <class T>
T load(std::span<const std::byte> bytes, int64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

/// Where the arrays of an index lie.
struct Arrays {
  std::span<const std::byte> index;
  IndexHeader header;
  int64_t lengths() const { return kHeaderBytes; }
  int64_t pointers() const { return lengths() + 4 * header.sequences; }
  int64_t documents() const { return pointers() + 8 * header.sequences; }
  int64_t end() const { return documents() + 8 * header.document_entries; }
  int64_t length(int64_t s) const { return load<int32_t>(index, lengths() + 4 * s); }
  int64_t pointer(int64_t s) const { return load<int64_t>(index, pointers() + 8 * s); }
  int64_t first_sequence(int64_t d) const { return load<int64_t>(index, documents() + 8 * d); }
};

IndexHeader parse_header(std::span<const std::byte> index, std::string_view where) {
  const auto size = static_cast<int64_t>(index.size());
  if (size < kHeaderBytes)
    fail<DataError>("{}: {} bytes; an index has at least {}", where, size, kHeaderBytes);
  if (std::memcmp(index.data(), kMagic.data(), kMagic.size()) != 0)
    fail<DataError>("{}: is no Megatron index: it does not begin with MMIDIDX", where);
  const auto version = load<uint64_t>(index, 9);
  if (version != 1) fail<DataError>("{}: index version {} is unknown; version 1 is read", where, version);
  const auto code = load<uint8_t>(index, 17);
  const std::array known{TokenType::u8, TokenType::u16, TokenType::i16, TokenType::i32, TokenType::i64};
  if (std::ranges::find(known, static_cast<TokenType>(code)) == known.end())
    fail<DataError>("{}: dtype code {}; token ids have code 1 (u8), 8 (u16), 3 (i16), 4 (i32) or 5 (i64)",
                    where, code);
  const auto sequences = load<uint64_t>(index, 18), entries = load<uint64_t>(index, 26);
  // Before any product: neither count can exceed the file's size.
  const auto most = static_cast<uint64_t>(size);
  if (sequences > most || entries > most)
    fail<DataError>("{}: {} sequences and {} document entries in {} bytes", where, sequences, entries, size);
  return {static_cast<TokenType>(code), static_cast<int64_t>(sequences), static_cast<int64_t>(entries)};
}

void check_sequences(const Arrays& arrays, int64_t data_bytes, std::string_view where) {
  const int64_t token_bytes = size_of(arrays.header.type);
  int64_t at = 0;
  for (int64_t s = 0; s < arrays.header.sequences; ++s) {
    const int64_t length = arrays.length(s), pointer = arrays.pointer(s);
    if (length < 0) fail<DataError>("{}: sequence {} has length {}", where, s, length);
    if (pointer != at)
      fail<DataError>("{}: sequence {} starts at byte {}, the one before ends at {}", where, s, pointer, at);
    if (length > (data_bytes - at) / token_bytes)
      fail<DataError>(
          "{}: sequence {} of {} tokens at byte {} exceeds the .bin file of {} bytes (truncated?)", where, s,
          length, at, data_bytes);
    at += length * token_bytes;
  }
  if (at != data_bytes)
    fail<DataError>("{}: the sequences end at byte {}, the .bin file has {} bytes", where, at, data_bytes);
}

void check_documents(const Arrays& arrays, std::string_view where) {
  int64_t before = 0;
  for (int64_t d = 0; d < arrays.header.document_entries; ++d) {
    const int64_t first = arrays.first_sequence(d);
    if (first < before || first > arrays.header.sequences || (d == 0 && first != 0))
      fail<DataError>("{}: document {} starts at sequence {}, after {} and of {}", where, d, first, before,
                      arrays.header.sequences);
    before = first;
  }
  if (before != arrays.header.sequences)
    fail<DataError>("{}: the documents end at sequence {} of {}", where, before, arrays.header.sequences);
}

template <class T>
void widen(const std::byte* source, std::span<int32_t> into) {
  for (size_t i = 0; i < into.size(); ++i) {
    T value;
    std::memcpy(&value, source + i * sizeof(T), sizeof(T));
    if constexpr (sizeof(T) > 4 || std::is_signed_v<T>) {
      if (value < 0 || static_cast<int64_t>(value) > std::numeric_limits<int32_t>::max())
        fail<DataError>("token id {} is outside [0, 2^31)", static_cast<int64_t>(value));
    }
    into[i] = static_cast<int32_t>(value);
  }
}

std::filesystem::path with_suffix(const std::filesystem::path& prefix, std::string_view suffix) {
  return prefix.string() + std::string(suffix);
}

std::filesystem::path data_path(const std::filesystem::path& prefix) {
  const std::filesystem::path path = with_suffix(prefix, ".bin"), ending = prefix.extension();
  if ((ending == ".bin" || ending == ".idx") && !std::filesystem::exists(path))
    fail<DataError>("{}: a token file is named by the prefix of its two files: leave {} away",
                    prefix.string(), ending.string());
  return path;
}

}  // namespace

int64_t size_of(TokenType type) {
  switch (type) {
    case TokenType::u8:
    case TokenType::i8:
      return 1;
    case TokenType::i16:
    case TokenType::u16:
      return 2;
    case TokenType::i32:
    case TokenType::f32:
      return 4;
    case TokenType::i64:
    case TokenType::f64:
      return 8;
  }
  return 0;
}

IndexHeader check_index(std::span<const std::byte> index, int64_t data_bytes, std::string_view where) {
  const IndexHeader header = parse_header(index, where);
  const Arrays arrays{index, header};
  const auto size = static_cast<int64_t>(index.size());
  if (header.document_entries < 1) fail<DataError>("{}: has no list of documents", where);
  if (arrays.end() + header.sequences == size && header.sequences > 0)
    fail<DataError>("{}: has sequence modes (multimodal data), which are not supported", where);
  if (arrays.end() != size)
    fail<DataError>("{}: {} sequences and {} document entries take {} bytes, the file has {} (truncated?)",
                    where, header.sequences, header.document_entries, arrays.end(), size);
  check_sequences(arrays, data_bytes, where);
  check_documents(arrays, where);
  return header;
}

TokenFile::TokenFile(const std::filesystem::path& prefix)
    : prefix_(prefix),
      data_(data_path(prefix)),
      index_(with_suffix(prefix, ".idx")),
      header_(
          check_index(index_.bytes(), static_cast<int64_t>(data_.bytes().size()), index_.path().string())),
      tokens_(static_cast<int64_t>(data_.bytes().size()) / size_of(header_.type)) {
  if (tokens_ == 0) fail<DataError>("{}: has no tokens", data_.path().string());
}

int64_t TokenFile::document_begin(int64_t document) const {
  if (document < 0 || document > documents())
    fail<DataError>("{}: document {} of {}", prefix_.string(), document, documents());
  const Arrays arrays{index_.bytes(), header_};
  const int64_t sequence = arrays.first_sequence(document);
  return sequence == header_.sequences ? tokens_ : arrays.pointer(sequence) / size_of(header_.type);
}

int64_t TokenFile::document_of(int64_t position) const {
  if (position < 0 || position >= tokens_)
    fail<DataError>("{}: token {} of {}", prefix_.string(), position, tokens_);
  int64_t low = 0, high = documents();  // begin(low) <= position < begin(high)
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (document_begin(middle) <= position ? low : high) = middle;
  }
  return low;
}

void TokenFile::read(int64_t begin, std::span<int32_t> into) const {
  const auto count = static_cast<int64_t>(into.size());
  if (begin < 0 || count > tokens_ || begin > tokens_ - count)
    fail<DataError>("{}: {} tokens from {} on, of {}", prefix_.string(), count, begin, tokens_);
  const std::byte* source = data_.bytes().data() + begin * size_of(header_.type);
  try {
    switch (header_.type) {
      case TokenType::u8:
        return widen<uint8_t>(source, into);
      case TokenType::u16:
        return widen<uint16_t>(source, into);
      case TokenType::i16:
        return widen<int16_t>(source, into);
      case TokenType::i32:
        return widen<int32_t>(source, into);
      default:
        return widen<int64_t>(source, into);
    }
  } catch (const DataError& error) {
    fail<DataError>("{}: among tokens {} to {}: {}", data_.path().string(), begin, begin + count,
                    error.what());
  }
}

void TokenFile::check_vocabulary(int64_t vocabulary) const {
  std::vector<int32_t> piece(static_cast<size_t>(std::min<int64_t>(tokens_, int64_t{1} << 16)));
  for (int64_t at = 0; at < tokens_;) {
    const auto part =
        std::span(piece).first(static_cast<size_t>(std::min<int64_t>(tokens_ - at, std::ssize(piece))));
    read(at, part);
    for (size_t i = 0; i < part.size(); ++i)
      if (part[i] >= vocabulary)
        fail<DataError>("{}: token {} has id {}; the model's vocabulary has {}", data_.path().string(),
                        at + static_cast<int64_t>(i), part[i], vocabulary);
    at += std::ssize(part);
  }
}

}  // namespace pleat::data
