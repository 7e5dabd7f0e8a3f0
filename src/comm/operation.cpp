// SPDX-License-Identifier: Apache-2.0
// What is wrong with a post, said before anything moves.
#include "comm/operation.h"

#include <algorithm>
#include <array>

#include "base/errors.h"

namespace pleat::comm {

using base::CommError;
using base::fail;

std::string_view name_of(Kind kind) {
  static constexpr std::array<std::string_view, 7> kNames{
      "send", "receive", "all_reduce", "all_gather", "reduce_scatter", "all_to_all", "exchange"};
  return kNames[static_cast<size_t>(kind)];
}

std::string to_string(const Channel& channel) {
  std::string ranks;
  for (base::Rank member : channel.members)
    ranks += (ranks.empty() ? "" : ", ") + std::to_string(member.value);
  return fmt::format("channel \"{}\" (ranks {})", channel.purpose, ranks);
}

std::string to_string(const Operation& operation) {
  const Kind kind = operation.kind;
  if (kind == Kind::exchange) return fmt::format("exchange of rows of {} bytes", operation.row_bytes);
  const size_t bytes = kind == Kind::receive ? operation.out.size() : operation.in.size();
  if (is_reduction(kind))
    return fmt::format("{} of {} bytes {}", name_of(kind), bytes, base::name_of(operation.dtype));
  return fmt::format("{} of {} bytes", name_of(kind), bytes);
}

int position_of(base::Rank rank, const Channel& channel, int world) {
  const auto& members = channel.members;
  for (size_t i = 0; i < members.size(); ++i) {
    if (members[i].value < 0 || members[i].value >= world)
      fail<CommError>("{}: rank {} is not in the world of {} ranks", to_string(channel), members[i].value,
                      world);
    if (std::count(members.begin(), members.end(), members[i]) != 1)
      fail<CommError>("{}: rank {} is named twice; the members of a channel are distinct", to_string(channel),
                      members[i].value);
  }
  const auto self = std::find(members.begin(), members.end(), rank);
  if (self == members.end())
    fail<CommError>("{}: opened by rank {}, which is not a member", to_string(channel), rank.value);
  return static_cast<int>(self - members.begin());
}

namespace {

void check_side(const Channel& channel, int position, Kind kind) {
  if (channel.members.size() != 2)
    fail<CommError>("{}: {} needs a channel of two ranks, sender first", to_string(channel), name_of(kind));
  if (position != (kind == Kind::send ? 0 : 1))
    fail<CommError>(
        "{}: rank {} posted {}, but only rank {} may: the first member sends, the second receives",
        to_string(channel), channel.members[position].value, name_of(kind),
        channel.members[1 - position].value);
}

void check_sizes(const Channel& channel, const Operation& operation, size_t in, size_t out) {
  if (operation.in.size() != in || operation.out.size() != out)
    fail<CommError>("{}: {} in a group of {} from {} to {} bytes; expected {} to {}", to_string(channel),
                    name_of(operation.kind), channel.members.size(), operation.in.size(),
                    operation.out.size(), in, out);
}

void check_elements(const Channel& channel, const Operation& operation) {
  const auto size = static_cast<size_t>(base::size_of(operation.dtype));
  const auto aligned = [size](const void* data) { return reinterpret_cast<uintptr_t>(data) % size == 0; };
  if (operation.out.size() % size != 0 || !aligned(operation.in.data()) || !aligned(operation.out.data()))
    fail<CommError>("{}: {} into {} bytes: not whole or not aligned elements of {} bytes", to_string(channel),
                    to_string(operation), operation.out.size(), size);
}

void check_blocks(const Channel& channel, const Operation& operation, std::span<const RowBlock> blocks,
                  size_t buffer_bytes, std::string_view side) {
  const auto members = static_cast<int>(channel.members.size());
  const int64_t rows = static_cast<int64_t>(buffer_bytes) / operation.row_bytes;
  for (size_t i = 0; i < blocks.size(); ++i) {
    const RowBlock& block = blocks[i];
    if (block.member < 0 || block.member >= members)
      fail<CommError>("{}: exchange, {} block {}: member {} of a group of {}", to_string(channel), side, i,
                      block.member, members);
    if (block.rows < 0 || block.row < 0 || block.row > rows || block.rows > rows - block.row)
      fail<CommError>("{}: exchange, {} block {}: {} rows from row {} of a buffer of {} rows of {} bytes",
                      to_string(channel), side, i, block.rows, block.row, rows, operation.row_bytes);
  }
}

}  // namespace

void check_operation(const Channel& channel, int position, const Operation& operation) {
  const size_t members = channel.members.size();
  const size_t in = operation.in.size();
  const size_t out = operation.out.size();
  switch (operation.kind) {
    case Kind::send:
    case Kind::receive:
      return check_side(channel, position, operation.kind);
    case Kind::all_reduce:
      return check_elements(channel, operation);
    case Kind::all_gather:
      return check_sizes(channel, operation, in, in * members);
    case Kind::reduce_scatter:
      check_sizes(channel, operation, out * members, out);
      return check_elements(channel, operation);
    case Kind::all_to_all:
      return check_sizes(channel, operation, in / members * members, in);
    case Kind::exchange:
      if (operation.row_bytes <= 0)
        fail<CommError>("{}: exchange of rows of {} bytes; at least 1", to_string(channel),
                        operation.row_bytes);
      check_blocks(channel, operation, operation.sends, in, "send");
      return check_blocks(channel, operation, operation.receives, out, "receive");
  }
}

bool matches(const Operation& mine, const Operation& theirs) {
  if (mine.kind == Kind::send) return theirs.kind == Kind::receive && mine.in.size() == theirs.out.size();
  if (mine.kind == Kind::receive) return theirs.kind == Kind::send && mine.out.size() == theirs.in.size();
  if (mine.kind != theirs.kind) return false;
  if (mine.kind == Kind::exchange) return mine.row_bytes == theirs.row_bytes;
  return mine.in.size() == theirs.in.size() && (!is_reduction(mine.kind) || mine.dtype == theirs.dtype);
}

}  // namespace pleat::comm
