// SPDX-License-Identifier: Apache-2.0
// Training checkpoints, keyed by logical name and global slice, so that any layout reads what any other
// wrote. On disk: <run>/checkpoints/step-00000100/{shard-0-of-4.safetensors, ..., manifest.json}, written as
// step-00000100.partial and renamed last. Without a manifest a checkpoint does not exist.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.h"
#include "base/errors.h"
#include "base/file.h"
#include "base/shape.h"
#include "checkpoint/box.h"
#include "checkpoint/safetensors.h"

namespace pleat::checkpoint {

/// A rectangular part of one piece of training state, dense in the caller's memory. Read from by a Writer,
/// filled by a Reader.
struct Slice {
  std::string name;  // logical name, usually of a parameter
  std::string role;  // "weight", "m", "v", ...
  base::DType dtype;
  base::Shape global;  // shape of the whole tensor
  base::Shape begin;   // where this part starts in it
  base::Shape extent;
  std::span<std::byte> data;
};

struct FileRecord {
  std::string name;
  int64_t size = 0;
  uint64_t checksum = 0;  // xxHash64
};

struct TensorRecord {
  std::string name;
  std::string role;
  base::DType dtype;
  base::Shape global;
};

inline constexpr int kManifestFormat = 1;

/// A checkpoint of a format that this version does not know.
struct FormatError : base::DataError {
  using base::DataError::DataError;
};

struct Manifest {
  int64_t step = 0;
  int64_t tokens = 0;
  std::string job;                    // the job as text
  std::string data;                   // what it was trained on, as its reader tells data apart
  std::vector<FileRecord> files;      // in order of shard
  std::vector<TensorRecord> tensors;  // in order of role, name
};

/// The manifest as JSON text with its own checksum, and back. DataError on anything else; another format is
/// named.
std::string to_text(const Manifest& manifest);
Manifest manifest_from_text(std::string_view text, std::string_view where);

/// Writes one checkpoint. Construct once; then write_shard() once for each shard (from its rank's thread, in
/// any order); then commit() once. Destroyed without commit() it leaves no trace, and never touches an
/// earlier checkpoint.
class Writer {
 public:
  struct Options {
    int keep = 0;                 // complete checkpoints kept, this one included; 0 keeps all
    base::FaultPoint fault = {};  // called from every thread that writes a shard
  };
  Writer(std::filesystem::path run_directory, int64_t step, int shards, Options options);
  Writer(std::filesystem::path run_directory, int64_t step, int shards);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  /// Safe from several threads. Slices may be none. CheckError when one does not fit or comes twice.
  void write_shard(int shard, std::span<const Slice> slices);
  /// CheckError when a shard is missing, a range is written by two shards, or a tensor is not completely
  /// covered.
  void commit(int64_t tokens, std::string_view job, std::string_view data = {});

 private:
  void check_complete() const;
  void publish();
  void remove_older();
  std::filesystem::path run_directory_;
  std::filesystem::path partial_;
  int64_t step_;
  int shards_;
  Options options_;
  std::mutex mutex_;
  std::map<int, FileRecord> files_;
  struct Coverage {
    TensorRecord tensor;
    std::vector<Box> written;
  };
  std::map<std::pair<std::string, std::string>, Coverage> tensors_;  // role, name
};

/// Reads any global slice of a checkpoint from whatever slices its shards hold.
class Reader {
 public:
  /// Reads the manifest and the shard headers, not the checksums: newest_complete() or verify() did that.
  explicit Reader(const std::filesystem::path& checkpoint);
  const Manifest& manifest() const { return manifest_; }
  const std::filesystem::path& path() const { return path_; }
  const TensorRecord* find(std::string_view name, std::string_view role) const;
  /// Fills request.data, converting between floating dtypes. DataError when the tensor is not there, has
  /// another global shape, or a range is missing, naming the tensor and the range. Safe from several threads.
  void read(const Slice& request) const;

 private:
  struct Stored {
    size_t file;
    std::string key;  // of the tensor in that file
    Box box;
  };
  using Key = std::pair<std::string, std::string>;  // role, name
  void index_shard(size_t file);
  std::filesystem::path path_;
  Manifest manifest_;
  std::vector<SafetensorsFile> files_;
  std::map<Key, size_t> tensors_;  // index in manifest_.tensors
  std::map<Key, std::vector<Stored>> stored_;
};

/// Checks the manifest, and size and checksum of every file: DataError with what is wrong. Returns the
/// manifest.
Manifest verify(const std::filesystem::path& checkpoint);

struct Found {
  std::optional<std::filesystem::path> checkpoint;
  std::vector<std::string> notes;  // what was skipped and why
};
/// The newest checkpoint that verifies. Unfinished and damaged ones are skipped with a note; one of an
/// unknown format is a FormatError, because to go on from an older one would lose work.
Found newest_complete(const std::filesystem::path& run_directory);

/// <run>/checkpoints/step-00000100
std::filesystem::path checkpoint_path(const std::filesystem::path& run_directory, int64_t step);

/// A folder under <run>/checkpoints whose name says that a step is, or was to be, in it.
struct StepFolder {
  int64_t step;
  bool partial;  // never renamed into place
  std::filesystem::path path;
};
/// In order of step. None where there is no such run.
std::vector<StepFolder> step_folders(const std::filesystem::path& run_directory);

}  // namespace pleat::checkpoint
