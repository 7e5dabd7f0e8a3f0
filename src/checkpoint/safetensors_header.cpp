// SPDX-License-Identifier: Apache-2.0
// The header of a safetensors file, from JSON that may be hostile: nothing is used before it is checked.
#include <algorithm>
#include <array>
#include <vector>

#include "base/errors.h"
#include "checkpoint/json.h"
#include "checkpoint/safetensors.h"

namespace pleat::checkpoint {
namespace {

using base::DataError;
using base::fail;

struct StoredType {
  std::string_view name;
  int bits;
  std::optional<base::DType> dtype;
};

constexpr std::array<StoredType, 22> kStoredTypes{{
    {"F32", 32, base::DType::f32},
    {"BF16", 16, base::DType::bf16},
    {"F64", 64, base::DType::f64},
    {"I32", 32, base::DType::i32},
    {"I64", 64, base::DType::i64},
    {"F16", 16, {}},
    {"BOOL", 8, {}},
    {"U8", 8, {}},
    {"I8", 8, {}},
    {"F8_E5M2", 8, {}},
    {"F8_E4M3", 8, {}},
    {"F8_E8M0", 8, {}},
    {"F8_E4M3FNUZ", 8, {}},
    {"F8_E5M2FNUZ", 8, {}},
    {"F4", 4, {}},
    {"F6_E2M3", 6, {}},
    {"F6_E3M2", 6, {}},
    {"I16", 16, {}},
    {"U16", 16, {}},
    {"U32", 32, {}},
    {"C64", 64, {}},
    {"U64", 64, {}},
}};

/// A name of any length and content, fit for an error.
std::string shown(std::string_view name) {
  constexpr size_t kLongest = 120;
  return name.size() <= kLongest ? std::string(name) : std::string(name.substr(0, kLongest)) + "...";
}

base::Shape parse_shape(const Json& value, std::string_view where) {
  const Json& list = array_at(value, "shape", where);
  if (list.size() > size_t{base::Shape::kMaxDims})
    fail<DataError>("{}: {} dims; at most {} are supported", where, list.size(), base::Shape::kMaxDims);
  std::vector<int64_t> dims;
  for (const Json& dim : list) dims.push_back(count_of(dim, "a dim of 'shape'", where));
  return base::Shape(dims);
}

const StoredType& parse_dtype(const Json& value, std::string_view where) {
  const std::string name = string_at(value, "dtype", where);
  const auto found = std::ranges::find(kStoredTypes, name, &StoredType::name);
  if (found == kStoredTypes.end()) fail<DataError>("{}: unknown dtype '{}'", where, shown(name));
  return *found;
}

TensorInfo parse_tensor(const std::string& name, const Json& value, int64_t data_bytes,
                        std::string_view file) {
  const std::string where = fmt::format("{}: tensor '{}'", file, shown(name));
  const StoredType& type = parse_dtype(value, where);
  TensorInfo tensor{name, std::string(type.name), type.dtype, parse_shape(value, where), 0, 0};
  const Json& offsets = array_at(value, "data_offsets", where);
  if (offsets.size() != 2) fail<DataError>("{}: 'data_offsets' has {} numbers, not 2", where, offsets.size());
  tensor.begin = count_of(offsets[0], "the first offset", where);
  tensor.end = count_of(offsets[1], "the second offset", where);
  if (tensor.begin > tensor.end || tensor.end > data_bytes)
    fail<DataError>("{}: bytes {} to {} of {} bytes of data", where, tensor.begin, tensor.end, data_bytes);
  const auto elements = checked_elements(std::span(tensor.shape.begin(), tensor.shape.end()));
  // Compared by division first: elements x bits could overflow.
  const int64_t most = data_bytes / type.bits * 8 + 8;
  if (!elements || *elements > most)
    fail<DataError>("{}: shape {} needs more bytes than the file has", where, base::to_string(tensor.shape));
  const int64_t bits = *elements * type.bits;
  if (bits % 8 != 0 || bits / 8 != tensor.end - tensor.begin)
    fail<DataError>("{}: {} of shape {} needs {} bits, its range has {} bytes", where, type.name,
                    base::to_string(tensor.shape), bits, tensor.end - tensor.begin);
  return tensor;
}

/// The ranges must follow one another from 0 to the end.
void check_tiling(std::vector<TensorInfo> tensors, int64_t data_bytes, std::string_view where) {
  std::ranges::sort(tensors, {}, [](const TensorInfo& t) { return std::pair(t.begin, t.end); });
  int64_t at = 0;
  for (const TensorInfo& tensor : tensors) {
    if (tensor.begin < at)
      fail<DataError>("{}: tensor '{}' starts at byte {} and overlaps another that ends at {}", where,
                      shown(tensor.name), tensor.begin, at);
    if (tensor.begin > at)
      fail<DataError>("{}: bytes {} to {} before tensor '{}' belong to no tensor", where, at, tensor.begin,
                      shown(tensor.name));
    at = tensor.end;
  }
  if (at != data_bytes)
    fail<DataError>("{}: the tensors end at byte {} of the data, which has {} bytes", where, at, data_bytes);
}

Metadata parse_metadata(const Json& value, std::string_view where) {
  if (!value.is_object()) fail<DataError>("{}: '__metadata__' is not an object", where);
  Metadata metadata;
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) fail<DataError>("{}: '__metadata__': '{}' is not a string", where, shown(key));
    metadata.emplace(key, text.get<std::string>());
  }
  return metadata;
}

}  // namespace

Header parse_header(std::string_view json, int64_t data_bytes, std::string_view where) {
  constexpr int kDepth = 3;  // file, tensor, list
  if (json.empty() || json.front() != '{') fail<DataError>("{}: the header does not begin with '{{'", where);
  const Json root = parse_json(json, kDepth, where);
  Header header;
  header.data_offset = 8 + static_cast<int64_t>(json.size());
  for (const auto& [name, value] : root.items()) {
    if (name == "__metadata__")
      header.metadata = parse_metadata(value, where);
    else
      header.tensors.push_back(parse_tensor(name, value, data_bytes, where));
  }
  std::ranges::sort(header.tensors, {}, &TensorInfo::name);
  check_tiling(header.tensors, data_bytes, where);
  return header;
}

}  // namespace pleat::checkpoint
