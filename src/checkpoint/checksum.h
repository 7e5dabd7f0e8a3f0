// SPDX-License-Identifier: Apache-2.0
// xxHash64 of bytes, as they come or of a whole file. It finds accidents, not forgeries.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/file.h"

namespace pleat::checkpoint {

class Checksum {
 public:
  Checksum();
  ~Checksum();
  void add(std::span<const std::byte> bytes);
  uint64_t value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

uint64_t checksum_of(const base::InputFile& file);

}  // namespace pleat::checkpoint
