// SPDX-License-Identifier: Apache-2.0
// A model in one or several files. The index names files; a name that could lead out of the folder is
// refused.
#include <algorithm>

#include "base/errors.h"
#include "checkpoint/json.h"
#include "checkpoint/safetensors.h"

namespace pleat::checkpoint {
namespace {

using base::DataError;
using base::fail;
namespace fs = std::filesystem;

constexpr std::string_view kSingle = "model.safetensors";
constexpr std::string_view kIndex = "model.safetensors.index.json";

void check_file_name(const std::string& name, std::string_view where) {
  const bool plain = !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
                     name.find('\0') == std::string::npos;
  if (!plain) fail<DataError>("{}: '{}' is not the name of a file in this folder", where, name);
}

/// tensor -> file name, from the index.
std::map<std::string, std::string> read_weight_map(const fs::path& index) {
  constexpr int kDepth = 8;  // "metadata" may hold what it likes
  const std::string where = index.string();
  const Json root = parse_json(base::read_text(index), kDepth, where);
  std::map<std::string, std::string> map;
  for (const auto& [tensor, file] : object_at(root, "weight_map", where).items()) {
    if (!file.is_string()) fail<DataError>("{}: the file of tensor '{}' is not a string", where, tensor);
    check_file_name(file.get_ref<const std::string&>(), where);
    map.emplace(tensor, file.get<std::string>());
  }
  if (map.empty()) fail<DataError>("{}: 'weight_map' is empty", where);
  return map;
}

}  // namespace

SafetensorsFolder::SafetensorsFolder(const fs::path& folder) : folder_(folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) fail<DataError>("{}: is not a folder", folder.string());
  if (!fs::exists(folder / kIndex, ignored)) {
    if (!fs::exists(folder / kSingle, ignored))
      fail<DataError>("{}: has neither {} nor {}", folder.string(), kSingle, kIndex);
    files_.emplace_back(folder / kSingle);
    for (const TensorInfo& tensor : files_[0].tensors()) owner_.emplace(tensor.name, 0);
    return;
  }
  std::map<std::string, size_t> opened;
  for (const auto& [tensor, name] : read_weight_map(folder / kIndex)) {
    const auto [file, is_new] = opened.emplace(name, files_.size());
    if (is_new) files_.emplace_back(folder / name);
    files_[file->second].tensor(tensor);  // refuses an index that promises too much
    owner_.emplace(tensor, file->second);
  }
}

std::vector<std::string> SafetensorsFolder::names() const {
  std::vector<std::string> names;
  for (const auto& entry : owner_) names.push_back(entry.first);
  return names;
}

bool SafetensorsFolder::contains(std::string_view name) const {
  return owner_.contains(name);
}

const SafetensorsFile& SafetensorsFolder::file_of(std::string_view name) const {
  const auto found = owner_.find(name);
  if (found == owner_.end())
    fail<DataError>("{}: has no tensor '{}' among its {}", folder_.string(), name, owner_.size());
  return files_[found->second];
}

const TensorInfo& SafetensorsFolder::tensor(std::string_view name) const {
  return file_of(name).tensor(name);
}

void SafetensorsFolder::read(std::string_view name, base::DType dtype, std::span<std::byte> into) const {
  const SafetensorsFile& file = file_of(name);
  file.read(file.tensor(name), dtype, into);
}

void SafetensorsFolder::read_slice(std::string_view name, const Box& box, base::DType dtype,
                                   std::span<std::byte> into) const {
  const SafetensorsFile& file = file_of(name);
  file.read_slice(file.tensor(name), box, dtype, into);
}

}  // namespace pleat::checkpoint
