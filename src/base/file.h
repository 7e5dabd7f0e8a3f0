// SPDX-License-Identifier: Apache-2.0
// Files read by position, files mapped, and files that appear whole or not at all. Every failure is a
// DataError that names the file. Here and not in one folder because data and checkpoint both stand on it and
// do not know each other.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace pleat::base {

/// Called before every create, write, sync, rename and remove with its text ("write model.safetensors"). A
/// test throws or ends the process there; an empty function costs nothing.
using FaultPoint = std::function<void(std::string_view point)>;

/// A read-only file, read by position (pread), so that a disk error is an exception and not a signal.
class InputFile {
 public:
  explicit InputFile(std::filesystem::path path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;
  ~InputFile();
  const std::filesystem::path& path() const { return path_; }
  int64_t size() const { return size_; }
  /// Fills `into` from `offset`; a range outside the file is a DataError. Safe from several threads.
  void read(int64_t offset, std::span<std::byte> into) const;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  int64_t size_ = 0;
};

/// A read-only file mapped into memory: random access without a copy, for token files.
class MappedFile {
 public:
  explicit MappedFile(std::filesystem::path path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();
  const std::filesystem::path& path() const { return path_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/// A file written under `<path>.partial` and renamed by commit() after it is on the disk. Without commit()
/// the destructor removes it.
class OutputFile {
 public:
  explicit OutputFile(std::filesystem::path path, FaultPoint fault = {});
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();
  const std::filesystem::path& path() const { return path_; }
  /// Bytes appended so far.
  int64_t position() const { return position_; }
  void append(std::span<const std::byte> bytes);
  /// Safe from several threads on ranges that do not overlap. Does not move position().
  void write(int64_t offset, std::span<const std::byte> bytes);
  /// write, sync, rename, sync of the folder: afterwards the file is there under its name whatever happens.
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path partial_;
  FaultPoint fault_;
  int descriptor_ = -1;
  int64_t position_ = 0;
};

/// The whole file as text; refuses files above `limit` bytes.
std::string read_text(const std::filesystem::path& path, int64_t limit = int64_t{1} << 30);
/// Replaces the file by `text`, whole or not at all.
void write_text(const std::filesystem::path& path, std::string_view text, const FaultPoint& fault = {});

/// Makes renames and removals inside `folder` durable.
void sync_folder(const std::filesystem::path& folder, const FaultPoint& fault = {});

/// Throws the DataError of a failed system call, from errno: "<path>: cannot <doing>: No space left on
/// device".
[[noreturn]] void fail_system(const std::filesystem::path& path, std::string_view doing);

}  // namespace pleat::base
