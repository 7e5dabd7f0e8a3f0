// SPDX-License-Identifier: Apache-2.0
// Posting does everything; polling only looks whether the ticket was told to stall.
#include "comm/fake/fake.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "base/errors.h"

namespace pleat::comm {

using base::CheckError;
using base::CommError;

namespace {

void copy(std::span<std::byte> to, std::span<const std::byte> from) {
  if (!from.empty() && to.data() != from.data()) std::memmove(to.data(), from.data(), from.size());
}

/// Zero but for the caller's own part, which may already be in its place.
void keep_own_part(std::span<std::byte> out, std::span<const std::byte> own, size_t position) {
  const size_t at = position * own.size();
  copy(out.subspan(at, own.size()), own);
  std::fill(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(at), std::byte{0});
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(at + own.size()), out.end(), std::byte{0});
}

/// Rows to itself arrive, rows from others are zero.
void exchange_alone(const Operation& operation, int position, const Channel& channel) {
  std::vector<size_t> from;
  std::vector<size_t> to;
  const auto bytes = static_cast<size_t>(operation.row_bytes);
  for (const RowBlock& block : operation.sends)
    for (int64_t i = 0; i < block.rows && block.member == position; ++i)
      from.push_back(static_cast<size_t>(block.row + i) * bytes);
  for (const RowBlock& block : operation.receives)
    for (int64_t i = 0; i < block.rows; ++i) {
      const size_t at = static_cast<size_t>(block.row + i) * bytes;
      if (block.member == position) to.push_back(at);
      std::ranges::fill(operation.out.subspan(at, bytes), std::byte{0});
    }
  if (from.size() != to.size())
    base::fail<CommError>("{}: exchange: {} rows from the caller to itself, {} expected", to_string(channel),
                          from.size(), to.size());
  for (size_t i = 0; i < to.size(); ++i)
    copy(operation.out.subspan(to[i], bytes), operation.in.subspan(from[i], bytes));
}

void complete_alone(const Operation& operation, int position, const Channel& channel) {
  const auto at = static_cast<size_t>(position);
  switch (operation.kind) {
    case Kind::send:
    case Kind::all_reduce:
      return;
    case Kind::receive:
      std::ranges::fill(operation.out, std::byte{0});
      return;
    case Kind::reduce_scatter:
      return copy(operation.out, operation.in.subspan(at * operation.out.size(), operation.out.size()));
    case Kind::all_gather:
      return keep_own_part(operation.out, operation.in, at);
    case Kind::all_to_all: {
      const size_t part = operation.in.size() / channel.members.size();
      return keep_own_part(operation.out, operation.in.subspan(at * part, part), at);
    }
    case Kind::exchange:
      return exchange_alone(operation, position, channel);
  }
}

}  // namespace

FakeCommunicator::FakeCommunicator(base::Rank rank, int world) : rank_(rank), world_(world) {
  if (rank.value < 0 || rank.value >= world)
    base::fail<CommError>("rank {} of a world of {} ranks: choose 0 to {}", rank.value, world, world - 1);
}

const Channel& FakeCommunicator::channel(ChannelId id) const {
  if (id < 0 || static_cast<size_t>(id) >= channels_.size())
    base::fail<CheckError>("rank {} posts on channel id {}, but has opened {} channels", rank_.value, id,
                           channels_.size());
  return channels_[id].channel;
}

void FakeCommunicator::stall(std::function<bool(const Posted&)> stalls) {
  stalls_ = std::move(stalls);
}

void FakeCommunicator::fail_as(base::Rank rank, const std::string& reason) {
  if (!failure_) failure_ = fmt::format("rank {} failed: {}", rank.value, reason);
  ++changes_;
}

void FakeCommunicator::fail(const std::string& reason) {
  fail_as(rank_, reason);
}

Communicator::ChannelId FakeCommunicator::open(const Channel& channel) {
  const int position = position_of(rank_, channel, world_);
  for (size_t i = 0; i < channels_.size(); ++i)
    if (channels_[i].channel == channel) return static_cast<ChannelId>(i);
  channels_.push_back({.channel = channel, .position = position});
  return static_cast<ChannelId>(channels_.size()) - 1;
}

Communicator::Ticket FakeCommunicator::post(ChannelId id, const Operation& operation) {
  const Channel& on = channel(id);
  Opened& opened = channels_[id];
  check_operation(on, opened.position, operation);
  const auto ticket = static_cast<Ticket>(posted_.size());
  posted_.push_back({.ticket = ticket,
                     .channel = id,
                     .kind = operation.kind,
                     .dtype = operation.dtype,
                     .in_bytes = static_cast<int64_t>(operation.in.size()),
                     .out_bytes = static_cast<int64_t>(operation.out.size()),
                     .row_bytes = operation.row_bytes,
                     .sends = {operation.sends.begin(), operation.sends.end()},
                     .receives = {operation.receives.begin(), operation.receives.end()}});
  if (stalls_ && stalls_(posted_.back())) opened.stalled = true;
  incomplete_.push_back(opened.stalled);
  if (!opened.stalled) complete_alone(operation, opened.position, on);
  ++changes_;
  return ticket;
}

Communicator::Ticket FakeCommunicator::send(ChannelId id, std::span<const std::byte> data) {
  return post(id, {.kind = Kind::send, .in = data});
}

Communicator::Ticket FakeCommunicator::receive(ChannelId id, std::span<std::byte> data) {
  return post(id, {.kind = Kind::receive, .out = data});
}

Communicator::Ticket FakeCommunicator::all_reduce(ChannelId id, std::span<std::byte> data,
                                                  base::DType dtype) {
  return post(id, {.kind = Kind::all_reduce, .dtype = dtype, .in = data, .out = data});
}

Communicator::Ticket FakeCommunicator::all_gather(ChannelId id, std::span<const std::byte> in,
                                                  std::span<std::byte> out) {
  return post(id, {.kind = Kind::all_gather, .in = in, .out = out});
}

Communicator::Ticket FakeCommunicator::reduce_scatter(ChannelId id, std::span<const std::byte> in,
                                                      std::span<std::byte> out, base::DType dtype) {
  return post(id, {.kind = Kind::reduce_scatter, .dtype = dtype, .in = in, .out = out});
}

Communicator::Ticket FakeCommunicator::all_to_all(ChannelId id, std::span<const std::byte> in,
                                                  std::span<std::byte> out) {
  return post(id, {.kind = Kind::all_to_all, .in = in, .out = out});
}

Communicator::Ticket FakeCommunicator::exchange(ChannelId id, std::span<const std::byte> in,
                                                std::span<std::byte> out, int64_t row_bytes,
                                                std::span<const RowBlock> sends,
                                                std::span<const RowBlock> receives) {
  return post(id, {.kind = Kind::exchange,
                   .row_bytes = row_bytes,
                   .in = in,
                   .out = out,
                   .sends = sends,
                   .receives = receives});
}

void FakeCommunicator::check_alive() const {
  if (failure_) throw CommError(*failure_);
}

bool FakeCommunicator::poll(Ticket ticket) {
  if (ticket < 0 || static_cast<size_t>(ticket) >= posted_.size())
    base::fail<CheckError>("rank {} asks for ticket {}, which it was never given", rank_.value, ticket);
  check_alive();
  return !incomplete_[ticket];
}

void FakeCommunicator::wait_for_change(uint32_t seen, int milliseconds) {
  check_alive();
  // Nobody else is there to change anything: the whole time passes.
  if (seen == changes_ && milliseconds > 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

std::vector<base::Rank> FakeCommunicator::waiting_for(Ticket ticket) const {
  std::vector<base::Rank> others;
  if (ticket < 0 || static_cast<size_t>(ticket) >= posted_.size() || !incomplete_[ticket]) return others;
  for (base::Rank member : channels_[posted_[ticket].channel].channel.members)
    if (member != rank_) others.push_back(member);
  return others;
}

}  // namespace pleat::comm
