// SPDX-License-Identifier: Apache-2.0
#include "tensor/arena.h"

#include <sys/mman.h>

#include <cstring>
#include <fstream>
#include <string>
#include <utility>

#include "base/errors.h"

namespace pleat::tensor {
namespace {

constexpr double kGiB = 1 << 30;

std::string available() {
  std::ifstream facts("/proc/meminfo");
  std::string name, unit;
  for (double kib = 0; facts >> name >> kib; std::getline(facts, unit))
    if (name == "MemAvailable:") return fmt::format("{:.1f} GiB are available", kib * 1024 / kGiB);
  return "what is available is unknown";
}

}  // namespace

Arena::Arena(int64_t bytes) : size_(bytes) {
  if (bytes == 0) return;
  const size_t mapping = static_cast<size_t>(bytes + kGuard);
  void* mapped = mmap(nullptr, mapping, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED)
    base::fail<base::JobError>(
        "no memory for an arena of {:.1f} GiB, {}: choose more ranks, smaller micro-batches or a smaller "
        "model",
        static_cast<double>(bytes) / kGiB, available());
  data_ = static_cast<std::byte*>(mapped);
  madvise(data_, mapping, MADV_HUGEPAGE);  // advice only: without huge pages it is slower, not wrong
  std::memset(data_, static_cast<int>(kPattern), mapping);
}

Arena::~Arena() {
  if (data_ != nullptr) munmap(data_, static_cast<size_t>(size_ + kGuard));
}

Arena::Arena(Arena&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

std::span<std::byte> Arena::bytes(int64_t offset, int64_t count) const {
  if (offset < 0 || count < 0 || offset > size_ - count)
    base::fail<base::CheckError>("bytes {} to {} of an arena of {}", offset, offset + count, size_);
  return {data_ + offset, static_cast<size_t>(count)};
}

int64_t Arena::highest_touched() const {
  return size_ == 0 ? 0 : highest_touched(0, size_ + kGuard);
}

// It looks at every byte on purpose, also at those that a sanitizer was told are dead.
[[gnu::no_sanitize_address]] int64_t Arena::highest_touched(int64_t begin, int64_t count) const {
  const std::byte* const first = data_ + begin;
  int64_t end = count;
  while (end > 0 && first[end - 1] == kPattern) --end;
  return end;
}

}  // namespace pleat::tensor
