// SPDX-License-Identifier: Apache-2.0
// Writing token files, byte for byte what Megatron's IndexedDatasetBuilder writes for one sequence a
// document.
#include <cstring>
#include <limits>

#include "base/errors.h"
#include "data/tokens.h"

namespace pleat::data {
namespace {

using base::DataError;
using base::fail;

constexpr size_t kPending = size_t{1} << 20;  // bytes gathered before a write

template <class T>
void put(std::vector<std::byte>& into, T value) {
  const size_t at = into.size();
  into.resize(at + sizeof value);
  std::memcpy(into.data() + at, &value, sizeof value);
}

}  // namespace

TokenWriter::TokenWriter(const std::filesystem::path& prefix, int64_t vocabulary, base::FaultPoint fault)
    : prefix_(prefix),
      vocabulary_(vocabulary),
      type_(vocabulary < 65500 ? TokenType::u16 : TokenType::i32),
      fault_(std::move(fault)),
      data_(prefix.string() + ".bin", fault_) {}

TokenWriter::~TokenWriter() = default;

void TokenWriter::add_document(std::span<const int32_t> tokens) {
  if (tokens.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max()))
    fail<DataError>("{}: a document of {} tokens; the format holds 2^31 - 1", prefix_.string(),
                    tokens.size());
  for (int32_t token : tokens) {
    if (token < 0 || token >= vocabulary_)
      fail<DataError>("{}: document {}: token id {} is outside the vocabulary of {}", prefix_.string(),
                      documents(), token, vocabulary_);
    if (type_ == TokenType::u16)
      put(pending_, static_cast<uint16_t>(token));
    else
      put(pending_, token);
    if (pending_.size() >= kPending) flush();
  }
  lengths_.push_back(static_cast<int32_t>(tokens.size()));
  tokens_ += static_cast<int64_t>(tokens.size());
}

void TokenWriter::flush() {
  data_.append(pending_);
  pending_.clear();
}

void TokenWriter::commit() {
  if (tokens_ == 0) fail<DataError>("{}: there are no tokens to write", prefix_.string());
  flush();
  std::vector<std::byte> index;
  for (char c : std::string_view("MMIDIDX\0\0", 9)) put(index, c);
  put(index, uint64_t{1});
  put(index, static_cast<uint8_t>(type_));
  put(index, static_cast<uint64_t>(lengths_.size()));
  put(index, static_cast<uint64_t>(lengths_.size() + 1));
  for (int32_t length : lengths_) put(index, length);
  int64_t pointer = 0;
  for (int32_t length : lengths_) {
    put(index, pointer);
    pointer += length * size_of(type_);
  }
  for (size_t document = 0; document <= lengths_.size(); ++document)
    put(index, static_cast<int64_t>(document));
  base::OutputFile index_file(prefix_.string() + ".idx", fault_);
  index_file.append(index);
  // An older index must not describe the new data, not even for the moment between two renames.
  std::error_code ignored;
  std::filesystem::remove(index_file.path(), ignored);
  data_.commit();
  index_file.commit();
}

}  // namespace pleat::data
