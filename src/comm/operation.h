// SPDX-License-Identifier: Apache-2.0
// One posted operation as a value, what a rank can check of it alone, and the words for errors. Every
// transport uses these, so a wrong post is refused in the same words on all of them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.h"
#include "comm/communicator.h"

namespace pleat::comm {

enum class Kind : uint8_t {
  send,
  receive,
  all_reduce,
  all_gather,
  reduce_scatter,
  all_to_all,
  exchange,
};
std::string_view name_of(Kind kind);
constexpr bool is_message(Kind kind) {
  return kind == Kind::send || kind == Kind::receive;
}
constexpr bool is_reduction(Kind kind) {
  return kind == Kind::all_reduce || kind == Kind::reduce_scatter;
}

/// An all_reduce has its data both as `in` and as `out`.
struct Operation {
  Kind kind = Kind::send;
  base::DType dtype = base::DType::f32;  // of a reduction
  int64_t row_bytes = 0;                 // of an exchange
  std::span<const std::byte> in = {};
  std::span<std::byte> out = {};
  std::span<const RowBlock> sends = {};
  std::span<const RowBlock> receives = {};
};

/// channel "forward chunk 1" (ranks 0, 1)
std::string to_string(const Channel& channel);
/// all_reduce of 4096 bytes f32
std::string to_string(const Operation& operation);

/// The caller's position in the channel. CommError when it is no member or the members are not distinct ranks
/// of the world.
int position_of(base::Rank rank, const Channel& channel, int world);

/// What one rank can see alone: sides, sizes, alignment, blocks within their buffers. CommError.
void check_operation(const Channel& channel, int position, const Operation& operation);

/// Whether two members' operations are one: same kind (or send and receive), same sizes, dtype and row size.
bool matches(const Operation& mine, const Operation& theirs);

}  // namespace pleat::comm
