// SPDX-License-Identifier: Apache-2.0
// A token file's index: refused with a DataError, or with counts that the file can hold.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/errors.h"
#include "data/tokens.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pleat;
  uint32_t data_bytes = 0;
  if (size < sizeof data_bytes) return 0;
  std::memcpy(&data_bytes, data, sizeof data_bytes);
  const auto index = std::as_bytes(std::span(data, size)).subspan(sizeof data_bytes);
  try {
    const data::IndexHeader header = data::check_index(index, data_bytes, "input");
    const auto held = static_cast<int64_t>(index.size());
    if (34 + 12 * header.sequences + 8 * header.document_entries != held) std::abort();
    if (header.document_entries < 1 || data_bytes % data::size_of(header.type) != 0) std::abort();
  } catch (const base::DataError&) {
  }
  return 0;
}
