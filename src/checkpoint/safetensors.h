// SPDX-License-Identifier: Apache-2.0
// One safetensors file, read and written. The reader trusts nothing: every length, offset, shape and name of
// the header is checked before use, and a DataError names the file, the tensor and what is wrong. The writer
// streams: a tensor's bytes may arrive slice by slice, and the file appears under its name only when all of
// them are on the disk.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.h"
#include "base/file.h"
#include "base/shape.h"
#include "checkpoint/box.h"

namespace pleat::checkpoint {

using Metadata = std::map<std::string, std::string>;

/// What a header says of one tensor. Dtypes that we cannot compute with keep their place and size, so that
/// the file can be opened; reading such a tensor is refused by name.
struct TensorInfo {
  std::string name;
  std::string stored_dtype;          // as the file spells it: "BF16"
  std::optional<base::DType> dtype;  // nothing for F16, U8, F8_E4M3, ...
  base::Shape shape;
  int64_t begin = 0;  // bytes from the start of the data
  int64_t end = 0;
};

struct Header {
  Metadata metadata;
  std::vector<TensorInfo> tensors;  // in order of name
  int64_t data_offset = 0;          // of the data, from the start of the file
};

/// Checks and parses the JSON of a header of a file with `data_bytes` bytes of data. `where` names the file
/// in errors.
Header parse_header(std::string_view json, int64_t data_bytes, std::string_view where);

class SafetensorsFile {
 public:
  /// Reads and checks the header; DataError when anything in it is not as the format says.
  explicit SafetensorsFile(const std::filesystem::path& path);
  const std::filesystem::path& path() const { return file_.path(); }
  const Metadata& metadata() const { return header_.metadata; }
  /// In order of name.
  std::span<const TensorInfo> tensors() const { return header_.tensors; }
  /// Null when there is none of that name.
  const TensorInfo* find(std::string_view name) const;
  /// DataError when there is none of that name.
  const TensorInfo& tensor(std::string_view name) const;
  /// Fills `into` with the tensor as `dtype` (any of f32, bf16, f64 from any of them, rounding to nearest
  /// even; whole numbers only as themselves). `into` must have exactly the tensor's bytes in that dtype.
  void read(const TensorInfo& tensor, base::DType dtype, std::span<std::byte> into) const;
  /// The same for a rectangular slice, dense in `into`.
  void read_slice(const TensorInfo& tensor, const Box& box, base::DType dtype,
                  std::span<std::byte> into) const;
  /// The same, where `into` is the dense tensor `target.shape` and the slice goes to `target.begin` in it.
  void read_slice(const TensorInfo& tensor, const Box& box, base::DType dtype, const Place& target,
                  std::span<std::byte> into) const;

 private:
  base::InputFile file_;
  Header header_;
};

struct TensorSpec {
  std::string name;
  base::DType dtype;
  base::Shape shape;
};

/// Writes `path` through a temporary name. Tensors lie in the file as in `transformers`: wide dtypes first,
/// then by name; metadata gets "format": "pt" unless it says otherwise.
class SafetensorsWriter {
 public:
  SafetensorsWriter(const std::filesystem::path& path, std::vector<TensorSpec> tensors,
                    Metadata metadata = {}, base::FaultPoint fault = {});
  ~SafetensorsWriter();
  /// Names in the order of the file: writing in this order needs no seek.
  std::span<const TensorSpec> order() const;
  void write(std::string_view name, std::span<const std::byte> bytes);
  /// Safe from several threads; CheckError when the slice overlaps one that was written.
  void write_slice(std::string_view name, const Box& box, std::span<const std::byte> bytes);
  /// CheckError when a tensor is not completely written; otherwise the file is there, durably, when it
  /// returns.
  void commit();
  /// xxHash64 of the committed file: of the bytes handed over where they came in order, else of the file read
  /// again.
  uint64_t checksum() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A model folder: model.safetensors, or several files with model.safetensors.index.json.
class SafetensorsFolder {
 public:
  explicit SafetensorsFolder(const std::filesystem::path& folder);
  const std::filesystem::path& path() const { return folder_; }
  /// In order of name.
  std::vector<std::string> names() const;
  bool contains(std::string_view name) const;
  const TensorInfo& tensor(std::string_view name) const;
  void read(std::string_view name, base::DType dtype, std::span<std::byte> into) const;
  void read_slice(std::string_view name, const Box& box, base::DType dtype, std::span<std::byte> into) const;

 private:
  const SafetensorsFile& file_of(std::string_view name) const;
  std::filesystem::path folder_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, size_t, std::less<>> owner_;  // tensor -> index in files_
};

}  // namespace pleat::checkpoint
