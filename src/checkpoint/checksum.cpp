// SPDX-License-Identifier: Apache-2.0
// The only file that knows which hash it is.
#include "checkpoint/checksum.h"

#include <xxhash.h>

#include <algorithm>
#include <new>
#include <vector>

namespace pleat::checkpoint {

struct Checksum::State {
  XXH64_state_t* hash = XXH64_createState();
  State() {
    if (!hash) throw std::bad_alloc();
    XXH64_reset(hash, 0);
  }
  ~State() { XXH64_freeState(hash); }
};

Checksum::Checksum() : state_(std::make_unique<State>()) {}
Checksum::~Checksum() = default;

void Checksum::add(std::span<const std::byte> bytes) {
  if (!bytes.empty()) XXH64_update(state_->hash, bytes.data(), bytes.size());
}

uint64_t Checksum::value() const {
  return XXH64_digest(state_->hash);
}

uint64_t checksum_of(const base::InputFile& file) {
  constexpr int64_t kPiece = int64_t{1} << 20;
  std::vector<std::byte> piece(static_cast<size_t>(std::min(kPiece, file.size())));
  Checksum checksum;
  for (int64_t at = 0; at < file.size(); at += kPiece) {
    const auto part = std::span(piece).first(static_cast<size_t>(std::min(kPiece, file.size() - at)));
    file.read(at, part);
    checksum.add(part);
  }
  return checksum.value();
}

}  // namespace pleat::checkpoint
