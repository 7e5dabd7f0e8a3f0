// SPDX-License-Identifier: Apache-2.0
// A safetensors header: refused with a DataError, or such that every tensor lies inside the data.
#include "checkpoint/safetensors.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/errors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pleat;
  uint32_t data_bytes = 0;
  if (size < sizeof data_bytes) return 0;
  std::memcpy(&data_bytes, data, sizeof data_bytes);
  const std::string_view json(reinterpret_cast<const char*>(data) + sizeof data_bytes,
                              size - sizeof data_bytes);
  try {
    const checkpoint::Header header = checkpoint::parse_header(json, data_bytes, "input");
    int64_t total = 0;
    for (const checkpoint::TensorInfo& tensor : header.tensors) {
      if (tensor.begin < 0 || tensor.end < tensor.begin || tensor.end > int64_t{data_bytes}) std::abort();
      if (tensor.dtype && tensor.shape.elements() * base::size_of(*tensor.dtype) != tensor.end - tensor.begin)
        std::abort();
      total += tensor.end - tensor.begin;
    }
    if (total != int64_t{data_bytes}) std::abort();
  } catch (const base::DataError&) {
  }
  return 0;
}
