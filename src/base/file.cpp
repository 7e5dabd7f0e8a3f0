// SPDX-License-Identifier: Apache-2.0
// The system calls behind base/file.h: short reads and writes continued, interrupted calls repeated.
#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/errors.h"

namespace pleat::base {
namespace {

struct Opened {
  int descriptor;
  int64_t size;
};

Opened open_regular(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) fail_system(path, "open it");
  struct stat status{};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    fail<DataError>("{}: is not a file", path.string());
  }
  return {descriptor, static_cast<int64_t>(status.st_size)};
}

void call(const FaultPoint& fault, std::string_view what, const std::filesystem::path& path) {
  if (fault) fault(fmt::format("{} {}", what, path.filename().string()));
}

}  // namespace

void fail_system(const std::filesystem::path& path, std::string_view doing) {
  const int code = errno;
  fail<DataError>("{}: cannot {}: {}", path.string(), doing, std::generic_category().message(code));
}

InputFile::InputFile(std::filesystem::path path) : path_(std::move(path)) {
  const Opened opened = open_regular(path_);
  descriptor_ = opened.descriptor;
  size_ = opened.size;
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void InputFile::read(int64_t offset, std::span<std::byte> into) const {
  const auto size = static_cast<int64_t>(into.size());
  if (offset < 0 || size > size_ || offset > size_ - size)
    fail<DataError>("{}: wanted {} bytes at {}, but the file has {}", path_.string(), size, offset, size_);
  size_t done = 0;
  while (done < into.size()) {
    const ssize_t n =
        ::pread(descriptor_, into.data() + done, into.size() - done, offset + static_cast<int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_system(path_, "read it");
    if (n == 0) fail<DataError>("{}: became shorter while it was read", path_.string());
    done += static_cast<size_t>(n);
  }
}

MappedFile::MappedFile(std::filesystem::path path) : path_(std::move(path)) {
  const Opened opened = open_regular(path_);
  size_ = static_cast<size_t>(opened.size);
  void* data = size_ == 0 ? nullptr : ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, opened.descriptor, 0);
  const bool failed = data == MAP_FAILED;
  const int code = errno;
  ::close(opened.descriptor);
  errno = code;
  if (failed) fail_system(path_, "map it");
  data_ = static_cast<const std::byte*>(data);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

OutputFile::OutputFile(std::filesystem::path path, FaultPoint fault)
    : path_(std::move(path)), partial_(path_.string() + ".partial"), fault_(std::move(fault)) {
  call(fault_, "create", path_);
  descriptor_ = ::open(partial_.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail_system(partial_, "create it");
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(partial_.c_str());
}

void OutputFile::append(std::span<const std::byte> bytes) {
  write(position_, bytes);
  position_ += static_cast<int64_t>(bytes.size());
}

void OutputFile::write(int64_t offset, std::span<const std::byte> bytes) {
  call(fault_, "write", path_);
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        ::pwrite(descriptor_, bytes.data() + done, bytes.size() - done, offset + static_cast<int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_system(path_, fmt::format("write {} bytes", bytes.size()));
    done += static_cast<size_t>(n);
  }
}

void OutputFile::commit() {
  call(fault_, "sync", path_);
  if (::fsync(descriptor_) != 0) fail_system(path_, "sync it");
  call(fault_, "rename", path_);
  if (::rename(partial_.c_str(), path_.c_str()) != 0) fail_system(path_, "rename it into place");
  const int closed = ::close(std::exchange(descriptor_, -1));
  if (closed != 0) fail_system(path_, "close it");
  sync_folder(path_.parent_path(), fault_);
}

std::string read_text(const std::filesystem::path& path, int64_t limit) {
  const InputFile file(path);
  if (file.size() > limit)
    fail<DataError>("{}: {} bytes, more than the {} allowed here", path.string(), file.size(), limit);
  std::string text(static_cast<size_t>(file.size()), '\0');
  file.read(0, std::as_writable_bytes(std::span(text)));
  return text;
}

void write_text(const std::filesystem::path& path, std::string_view text, const FaultPoint& fault) {
  OutputFile file(path, fault);
  file.append(std::as_bytes(std::span(text)));
  file.commit();
}

void sync_folder(const std::filesystem::path& folder, const FaultPoint& fault) {
  const std::filesystem::path name = folder.empty() ? std::filesystem::path(".") : folder;
  call(fault, "sync folder", name);
  const int descriptor = ::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail_system(name, "open the folder");
  const int result = ::fsync(descriptor);
  const int code = errno;
  ::close(descriptor);
  errno = code;
  // Some network file systems cannot sync a folder and say EINVAL; there the rename itself is the guarantee.
  if (result != 0 && code != EINVAL) fail_system(name, "sync the folder");
}

}  // namespace pleat::base
