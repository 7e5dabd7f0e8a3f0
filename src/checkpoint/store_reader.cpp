// SPDX-License-Identifier: Apache-2.0
// Reading: an index from tensor to the slices that the shards hold, then each request from the slices that it
// meets.
#include "base/errors.h"
#include "checkpoint/json.h"
#include "checkpoint/store.h"

namespace pleat::checkpoint {
namespace {

using base::DataError;
using base::fail;
namespace fs = std::filesystem;

base::Shape shape_at(const Json& object, const std::string& key, std::string_view where) {
  std::vector<int64_t> dims;
  for (const Json& dim : array_at(object, key, where))
    dims.push_back(count_of(dim, "a number of '" + key + "'", where));
  if (dims.size() > size_t{base::Shape::kMaxDims})
    fail<DataError>("{}: '{}' has {} dims", where, key, dims.size());
  return base::Shape(dims);
}

base::Shape minus(base::Shape a, const base::Shape& b) {
  for (int d = 0; d < a.dims(); ++d) a[d] -= b[d];
  return a;
}

}  // namespace

Reader::Reader(const fs::path& checkpoint) : path_(checkpoint) {
  const fs::path manifest = checkpoint / "manifest.json";
  manifest_ = manifest_from_text(base::read_text(manifest), manifest.string());
  for (size_t i = 0; i < manifest_.tensors.size(); ++i) {
    const TensorRecord& tensor = manifest_.tensors[i];
    if (!tensors_.emplace(Key{tensor.role, tensor.name}, i).second)
      fail<DataError>("{}: {} of '{}' is listed twice", manifest.string(), tensor.role, tensor.name);
  }
  for (size_t i = 0; i < manifest_.files.size(); ++i) {
    files_.emplace_back(checkpoint / manifest_.files[i].name);
    index_shard(i);
  }
}

void Reader::index_shard(size_t file) {
  constexpr int kDepth = 3;  // slices, slice, numbers
  const SafetensorsFile& shard = files_[file];
  const std::string where = shard.path().string();
  const auto text = shard.metadata().find("slices");
  if (text == shard.metadata().end())
    fail<DataError>("{}: no checkpoint shard: '__metadata__' has no 'slices'", where);
  const Json slices = parse_json(text->second, kDepth, where + ": 'slices'");
  if (!slices.is_object() || slices.size() != shard.tensors().size())
    fail<DataError>("{}: 'slices' describes {} tensors, the file has {}", where, slices.size(),
                    shard.tensors().size());
  for (const auto& [key, slice] : slices.items()) {
    const TensorInfo& stored = shard.tensor(key);
    const std::string at = fmt::format("{}: slice '{}'", where, key);
    const std::string name = string_at(slice, "name", at), role = string_at(slice, "role", at);
    const TensorRecord* tensor = find(name, role);
    if (!tensor) fail<DataError>("{}: {} of '{}' is not in the manifest", at, role, name);
    const Box box{shape_at(slice, "begin", at), stored.shape};
    if (stored.dtype != tensor->dtype || shape_at(slice, "global", at) != tensor->global ||
        !inside(box, tensor->global))
      fail<DataError>("{}: {} {} at {} does not belong to {} {}", at, stored.stored_dtype,
                      to_string(stored.shape), to_string(box), base::name_of(tensor->dtype),
                      to_string(tensor->global));
    stored_[{role, name}].push_back({file, key, box});
  }
}

const TensorRecord* Reader::find(std::string_view name, std::string_view role) const {
  const auto found = tensors_.find(Key{role, name});
  return found == tensors_.end() ? nullptr : &manifest_.tensors[found->second];
}

void Reader::read(const Slice& request) const {
  const auto where = [&] {
    return fmt::format("{}: {} of '{}'", path_.string(), request.role, request.name);
  };
  const TensorRecord* tensor = find(request.name, request.role);
  if (!tensor) fail<DataError>("{} is not in this checkpoint", where());
  if (tensor->global != request.global)
    fail<DataError>("{} has shape {}, the job wants {}", where(), to_string(tensor->global),
                    to_string(request.global));
  const Box wanted{request.begin, request.extent};
  if (!inside(wanted, tensor->global) ||
      static_cast<int64_t>(request.data.size()) != request.extent.elements() * base::size_of(request.dtype))
    fail<base::CheckError>("{}: the slice {} with {} bytes does not fit shape {}", where(), to_string(wanted),
                           request.data.size(), to_string(tensor->global));
  const auto stored = stored_.find({request.role, request.name});
  std::vector<Box> hits;
  std::vector<const Stored*> sources;
  if (stored != stored_.end())
    for (const Stored& candidate : stored->second)
      if (const std::optional<Box> hit = intersection(wanted, candidate.box)) {
        hits.push_back(*hit);
        sources.push_back(&candidate);
      }
  const std::vector<Box> missing = uncovered(wanted, hits);
  if (!missing.empty()) fail<DataError>("{}: no shard has {}", where(), to_string(missing.front()));
  for (size_t i = 0; i < hits.size(); ++i) {
    const SafetensorsFile& file = files_[sources[i]->file];
    const Box local{minus(hits[i].begin, sources[i]->box.begin), hits[i].extent};
    file.read_slice(file.tensor(sources[i]->key), local, request.dtype,
                    {request.extent, minus(hits[i].begin, request.begin)}, request.data);
  }
}

}  // namespace pleat::checkpoint
