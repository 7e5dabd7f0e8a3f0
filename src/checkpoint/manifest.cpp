// SPDX-License-Identifier: Apache-2.0
// The manifest: JSON with a checksum of its own, computed over the same text with that field empty, so that
// no changed byte of it can send a run to the wrong step.
#include <set>
#include <string>

#include "base/errors.h"
#include "checkpoint/checksum.h"
#include "checkpoint/json.h"
#include "checkpoint/store.h"

namespace pleat::checkpoint {
namespace {

using base::DataError;
using base::fail;

std::string hex(uint64_t number) {
  return fmt::format("{:016x}", number);
}

uint64_t checksum_at(const Json& object, const std::string& key, std::string_view where) {
  const std::string text = string_at(object, key, where);
  if (text.size() != 16 || text.find_first_not_of("0123456789abcdef") != std::string::npos)
    fail<DataError>("{}: '{}' is not 16 hexadecimal digits", where, key);
  return std::stoull(text, nullptr, 16);
}

std::string text_with(Json root, const std::string& checksum) {
  root["checksum"] = checksum;
  return root.dump(1) + "\n";
}

std::string own_checksum(const Json& root) {
  Checksum checksum;
  const std::string text = text_with(root, "");
  checksum.add(std::as_bytes(std::span(text)));
  return hex(checksum.value());
}

FileRecord parse_file(const Json& value, std::string_view where) {
  FileRecord file{string_at(value, "name", where), count_at(value, "size", where),
                  checksum_at(value, "xxh64", where)};
  if (file.name.empty() || file.name == "." || file.name == ".." ||
      file.name.find('/') != std::string::npos || file.name.find('\0') != std::string::npos)
    fail<DataError>("{}: '{}' is not the name of a file in this folder", where, file.name);
  return file;
}

base::DType parse_dtype(const std::string& name, std::string_view where) {
  for (size_t i = 0; i < base::kDTypeNames.size(); ++i)
    if (base::kDTypeNames[i] == name) return static_cast<base::DType>(i);
  fail<DataError>("{}: unknown dtype '{}'", where, name);
}

TensorRecord parse_tensor(const Json& value, std::string_view where) {
  std::vector<int64_t> dims;
  for (const Json& dim : array_at(value, "global", where))
    dims.push_back(count_of(dim, "a dim of 'global'", where));
  if (dims.size() > size_t{base::Shape::kMaxDims} || !checked_elements(dims))
    fail<DataError>("{}: a global shape of {} dims, or too large", where, dims.size());
  return {string_at(value, "name", where), string_at(value, "role", where),
          parse_dtype(string_at(value, "dtype", where), where), base::Shape(dims)};
}

}  // namespace

std::string to_text(const Manifest& manifest) {
  Json root = {{"format", kManifestFormat}, {"step", manifest.step}, {"tokens", manifest.tokens},
               {"job", manifest.job},       {"data", manifest.data}, {"files", Json::array()},
               {"tensors", Json::array()}};
  for (const FileRecord& file : manifest.files)
    root["files"].push_back({{"name", file.name}, {"size", file.size}, {"xxh64", hex(file.checksum)}});
  for (const TensorRecord& tensor : manifest.tensors)
    root["tensors"].push_back({{"name", tensor.name},
                               {"role", tensor.role},
                               {"dtype", base::name_of(tensor.dtype)},
                               {"global", std::vector<int64_t>(tensor.global.begin(), tensor.global.end())}});
  try {
    return text_with(root, own_checksum(root));
  } catch (const Json::exception&) {
    fail<base::CheckError>("the checkpoint of step {}: the job or a name is not UTF-8", manifest.step);
  }
}

Manifest manifest_from_text(std::string_view text, std::string_view where) {
  constexpr int kDepth = 5;  // manifest, list, record, shape
  const Json root = parse_json(text, kDepth, where);
  // The format before all else: what follows may mean something else there.
  const int64_t format = count_at(root, "format", where);
  if (format != kManifestFormat)
    throw FormatError(fmt::format("{}: checkpoint format {} is unknown; this version reads format {}", where,
                                  format, kManifestFormat));
  if (string_at(root, "checksum", where) != own_checksum(root))
    fail<DataError>("{}: does not match its own checksum", where);
  Manifest manifest;
  manifest.step = count_at(root, "step", where);
  manifest.tokens = count_at(root, "tokens", where);
  manifest.job = string_at(root, "job", where);
  manifest.data = string_at(root, "data", where);
  std::set<std::string> names;
  for (const Json& file : array_at(root, "files", where)) {
    manifest.files.push_back(parse_file(file, where));
    if (!names.insert(manifest.files.back().name).second)
      fail<DataError>("{}: file '{}' is listed twice", where, manifest.files.back().name);
  }
  for (const Json& tensor : array_at(root, "tensors", where))
    manifest.tensors.push_back(parse_tensor(tensor, where));
  return manifest;
}

}  // namespace pleat::checkpoint
