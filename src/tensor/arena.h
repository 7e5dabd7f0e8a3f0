// SPDX-License-Identifier: Apache-2.0
// All memory of a rank in one piece: mapped once, huge pages advised, every page touched before the first
// step, so that no step pays for a page fault. Filled with a pattern, so that what was touched can be read
// off afterwards.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace pleat::tensor {

class Arena {
 public:
  Arena() = default;
  /// Throws CheckError when the memory cannot be had, with the number of bytes.
  explicit Arena(int64_t bytes);
  ~Arena();
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;

  std::byte* data() const { return data_; }
  int64_t size() const { return size_; }
  std::span<std::byte> bytes(int64_t offset, int64_t count) const;

  /// One past the highest byte that no longer holds the pattern; above size() when somebody wrote behind the
  /// end.
  int64_t highest_touched() const;
  /// The same within `count` bytes from `begin`, counted from there.
  int64_t highest_touched(int64_t begin, int64_t count) const;

  static constexpr std::byte kPattern{0xa5};
  /// Bytes behind the end that hold the pattern too and belong to nobody.
  static constexpr int64_t kGuard = 4096;

 private:
  std::byte* data_ = nullptr;
  int64_t size_ = 0;
};

}  // namespace pleat::tensor
