// SPDX-License-Identifier: Apache-2.0
#include "tensor/arena.h"

#include <sys/mman.h>

#include <cstring>
#include <utility>

#include "base/errors.h"

namespace pleat::tensor {

Arena::Arena(int64_t bytes) : size_(bytes) {
  if (bytes == 0) return;
  void* mapped = mmap(nullptr, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED)
    base::fail<base::CheckError>("no memory for an arena of {} bytes: choose more ranks, smaller micro-batches or a smaller model", bytes);
  data_ = static_cast<std::byte*>(mapped);
  madvise(data_, static_cast<size_t>(bytes), MADV_HUGEPAGE);  // advice only: without huge pages it is slower, not wrong
  std::memset(data_, static_cast<int>(kPattern), static_cast<size_t>(bytes));
}

Arena::~Arena() {
  if (data_ != nullptr) munmap(data_, static_cast<size_t>(size_));
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
  int64_t end = size_;
  while (end > 0 && data_[end - 1] == kPattern) --end;
  return end;
}

}  // namespace pleat::tensor
