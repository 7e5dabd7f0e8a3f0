// SPDX-License-Identifier: Apache-2.0
// Saving. Order is all: shards, each durable under its name; then the manifest; then the folder gets its
// name; only then may an older checkpoint go. A crash between any two steps leaves the older one whole.
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <set>

#include "base/errors.h"
#include "checkpoint/json.h"
#include "checkpoint/store.h"

namespace pleat::checkpoint {
namespace {

using base::CheckError;
using base::fail;
namespace fs = std::filesystem;

void call(const base::FaultPoint& fault, std::string_view what, const fs::path& path) {
  if (fault) fault(fmt::format("{} {}", what, path.filename().string()));
}

void remove_folder(const fs::path& folder, const base::FaultPoint& fault) {
  std::error_code error;
  // The manifest first: half a checkpoint must not look like one.
  call(fault, "remove manifest of", folder);
  fs::remove(folder / "manifest.json", error);
  call(fault, "remove", folder);
  fs::remove_all(folder, error);
  if (error) base::fail<base::DataError>("{}: cannot be removed: {}", folder.string(), error.message());
}

std::string key_of(const Slice& slice) {
  return fmt::format("{}/{}{}", slice.role, slice.name, to_string(Box{slice.begin, slice.extent}));
}

std::vector<int64_t> list_of(const base::Shape& shape) {
  return {shape.begin(), shape.end()};
}

void check_slice(const Slice& slice) {
  const Box box{slice.begin, slice.extent};
  if (!checked_elements(list_of(slice.global)) || !inside(box, slice.global) ||
      static_cast<int64_t>(slice.data.size()) != slice.extent.elements() * base::size_of(slice.dtype))
    fail<CheckError>("checkpoint: {} of '{}': the slice {} of shape {} with {} bytes does not fit",
                     slice.role, slice.name, to_string(box), to_string(slice.global), slice.data.size());
}

}  // namespace

Writer::Writer(fs::path run_directory, int64_t step, int shards)
    : Writer(std::move(run_directory), step, shards, {}) {}

Writer::Writer(fs::path run_directory, int64_t step, int shards, Options options)
    : run_directory_(std::move(run_directory)),
      partial_(checkpoint_path(run_directory_, step).string() + ".partial"),
      step_(step),
      shards_(shards),
      options_(std::move(options)) {
  if (step < 0 || shards < 1) fail<CheckError>("a checkpoint of step {} in {} shards", step, shards);
  std::error_code error;
  call(options_.fault, "create", partial_);
  fs::remove_all(partial_, error);  // of a save that a crash ended
  if (!error) fs::create_directories(partial_, error);
  if (error) fail<base::DataError>("{}: cannot be created: {}", partial_.string(), error.message());
}

Writer::~Writer() {
  std::error_code ignored;
  fs::remove_all(partial_, ignored);
}

void Writer::write_shard(int shard, std::span<const Slice> slices) {
  if (shard < 0 || shard >= shards_) fail<CheckError>("checkpoint: shard {} of {}", shard, shards_);
  std::vector<TensorSpec> specs;
  Json places = Json::object();
  std::map<std::string, const Slice*> by_key;
  for (const Slice& slice : slices) {
    check_slice(slice);
    const std::string key = key_of(slice);
    specs.push_back({key, slice.dtype, slice.extent});
    by_key[key] = &slice;
    places[key] = {{"name", slice.name},
                   {"role", slice.role},
                   {"global", list_of(slice.global)},
                   {"begin", list_of(slice.begin)}};
  }
  const fs::path path = partial_ / fmt::format("shard-{}-of-{}.safetensors", shard, shards_);
  SafetensorsWriter file(path, std::move(specs),
                         {{"slices", places.dump(-1, ' ', false, Json::error_handler_t::replace)}},
                         options_.fault);
  for (const TensorSpec& tensor : file.order()) file.write(tensor.name, by_key.at(tensor.name)->data);
  file.commit();
  const FileRecord record{path.filename().string(), base::InputFile(path).size(), file.checksum()};

  const std::lock_guard lock(mutex_);
  if (!files_.emplace(shard, record).second) fail<CheckError>("checkpoint: shard {} is written twice", shard);
  for (const Slice& slice : slices) {
    const TensorRecord tensor{slice.name, slice.role, slice.dtype, slice.global};
    Coverage& coverage = tensors_.try_emplace({slice.role, slice.name}, Coverage{tensor, {}}).first->second;
    if (coverage.tensor.dtype != slice.dtype || coverage.tensor.global != slice.global)
      fail<CheckError>("checkpoint: {} of '{}' is {} {} in one shard and {} {} in another", slice.role,
                       slice.name, base::name_of(coverage.tensor.dtype), to_string(coverage.tensor.global),
                       base::name_of(slice.dtype), to_string(slice.global));
    coverage.written.push_back({slice.begin, slice.extent});
  }
}

void Writer::check_complete() const {
  for (int shard = 0; shard < shards_; ++shard)
    if (!files_.contains(shard))
      fail<CheckError>("checkpoint: shard {} of {} was not written", shard, shards_);
  for (const auto& [key, coverage] : tensors_) {
    const auto& [role, name] = key;
    const std::vector<Box> missing = uncovered(whole(coverage.tensor.global), coverage.written);
    if (!missing.empty())
      fail<CheckError>("checkpoint: {} of '{}': no shard has {}", role, name, to_string(missing.front()));
    int64_t elements = 0;
    for (const Box& box : coverage.written) elements += box.extent.elements();
    // Two copies of a range could differ, and a reader could not tell which is meant.
    if (elements != coverage.tensor.global.elements())
      fail<CheckError>(
          "checkpoint: {} of '{}': {} elements were written, it has {}; one range has two writers", role,
          name, elements, coverage.tensor.global.elements());
  }
}

void Writer::commit(int64_t tokens, std::string_view job, std::string_view data) {
  const std::lock_guard lock(mutex_);
  check_complete();
  Manifest manifest{step_, tokens, std::string(job), std::string(data), {}, {}};
  for (const auto& [shard, file] : files_) manifest.files.push_back(file);
  for (const auto& [key, coverage] : tensors_) manifest.tensors.push_back(coverage.tensor);
  base::write_text(partial_ / "manifest.json", to_text(manifest), options_.fault);
  publish();
  remove_older();
}

void Writer::publish() {
  const fs::path final_path = checkpoint_path(run_directory_, step_);
  call(options_.fault, "rename", partial_);
  // The same step may be there already, damaged or from an earlier attempt: exchange the two, so that at
  // every instant a folder has the name; the destructor removes the other.
  int result = ::renameat2(AT_FDCWD, partial_.c_str(), AT_FDCWD, final_path.c_str(), RENAME_NOREPLACE);
  if (result != 0 && errno == EEXIST)
    result = ::renameat2(AT_FDCWD, partial_.c_str(), AT_FDCWD, final_path.c_str(), RENAME_EXCHANGE);
  if (result != 0 && (errno == EINVAL || errno == ENOSYS)) {  // a file system without these two
    if (fs::exists(final_path)) remove_folder(final_path, options_.fault);
    result = ::rename(partial_.c_str(), final_path.c_str());
  }
  if (result != 0) base::fail_system(final_path, "rename the checkpoint into place");
  base::sync_folder(final_path.parent_path(), options_.fault);
  base::sync_folder(run_directory_, options_.fault);  // the first save made the folder of checkpoints
}

void Writer::remove_older() {
  std::vector<StepFolder> folders = step_folders(run_directory_);
  std::ranges::reverse(folders);
  int complete = 0;
  for (const StepFolder& folder : folders) {
    if (folder.step > step_ || folder.path == partial_) continue;
    const bool whole_one = !folder.partial && fs::exists(folder.path / "manifest.json");
    if (whole_one && (options_.keep == 0 || ++complete <= options_.keep)) continue;
    if (folder.step < step_) remove_folder(folder.path, options_.fault);
  }
}

}  // namespace pleat::checkpoint
