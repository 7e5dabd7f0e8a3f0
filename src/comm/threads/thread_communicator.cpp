// SPDX-License-Identifier: Apache-2.0
// Posting, polling and telling the others. A ticket is (channel, number on that channel), so it needs no
// table.
#include "comm/threads/thread_communicator.h"

#include <exception>
#include <utility>

#include "base/errors.h"
#include "comm/threads/world.h"

namespace pleat::comm {

using base::CheckError;
using base::CommError;

namespace {

constexpr int kNumberBits = 40;
constexpr int64_t kNumberMask = (int64_t{1} << kNumberBits) - 1;
// What one poll moves at most: a fraction of a millisecond, so that a rank can still start what became ready
// meanwhile.
constexpr int64_t kBytesPerPoll = int64_t{1} << 20;

}  // namespace

ThreadCommunicator::ThreadCommunicator(std::shared_ptr<WorldState> state, base::Rank rank)
    : state_(std::move(state)), rank_(rank), exceptions_at_join_(std::uncaught_exceptions()) {}

ThreadCommunicator::~ThreadCommunicator() {
  const bool unwinding = std::uncaught_exceptions() > exceptions_at_join_;
  if (const std::string open = open_operations(); unwinding || !open.empty())
    state_->fail(rank_, unwinding ? "it ended by an exception" : "it left before completion of " + open);
  state_->leave(rank_);
}

Communicator::ChannelId ThreadCommunicator::open(const Channel& channel) {
  const int position = position_of(rank_, channel, state_->ranks());
  SharedChannel& shared = state_->channel(channel);
  for (size_t i = 0; i < endpoints_.size(); ++i)
    if (endpoints_[i].shared == &shared) return static_cast<ChannelId>(i);
  endpoints_.push_back({.shared = &shared, .position = position, .transfer = {}});
  return static_cast<ChannelId>(endpoints_.size()) - 1;
}

// --- posting ---

Communicator::Ticket ThreadCommunicator::post(ChannelId channel, const Operation& operation) {
  if (channel < 0 || static_cast<size_t>(channel) >= endpoints_.size())
    base::fail<CheckError>("rank {} posts on channel id {}, but has opened {} channels", rank_.value, channel,
                           endpoints_.size());
  Endpoint& endpoint = endpoints_[channel];
  check_operation(endpoint.shared->channel(), endpoint.position, operation);
  const bool last = endpoint.shared->meeting(endpoint.posted).post(endpoint.position, operation);
  // Only the last to come tells: until then the others could do no more than look. A sender has nothing to do
  // even then.
  if (last && operation.kind != Kind::receive) ring_others(endpoint);
  return int64_t{channel} << kNumberBits | endpoint.posted++;
}

Communicator::Ticket ThreadCommunicator::send(ChannelId channel, std::span<const std::byte> data) {
  return post(channel, {.kind = Kind::send, .in = data});
}

Communicator::Ticket ThreadCommunicator::receive(ChannelId channel, std::span<std::byte> data) {
  return post(channel, {.kind = Kind::receive, .out = data});
}

Communicator::Ticket ThreadCommunicator::all_reduce(ChannelId channel, std::span<std::byte> data,
                                                    base::DType dtype) {
  return post(channel, {.kind = Kind::all_reduce, .dtype = dtype, .in = data, .out = data});
}

Communicator::Ticket ThreadCommunicator::all_gather(ChannelId channel, std::span<const std::byte> in,
                                                    std::span<std::byte> out) {
  return post(channel, {.kind = Kind::all_gather, .in = in, .out = out});
}

Communicator::Ticket ThreadCommunicator::reduce_scatter(ChannelId channel, std::span<const std::byte> in,
                                                        std::span<std::byte> out, base::DType dtype) {
  return post(channel, {.kind = Kind::reduce_scatter, .dtype = dtype, .in = in, .out = out});
}

Communicator::Ticket ThreadCommunicator::all_to_all(ChannelId channel, std::span<const std::byte> in,
                                                    std::span<std::byte> out) {
  return post(channel, {.kind = Kind::all_to_all, .in = in, .out = out});
}

Communicator::Ticket ThreadCommunicator::exchange(ChannelId channel, std::span<const std::byte> in,
                                                  std::span<std::byte> out, int64_t row_bytes,
                                                  std::span<const RowBlock> sends,
                                                  std::span<const RowBlock> receives) {
  return post(channel, {.kind = Kind::exchange,
                        .row_bytes = row_bytes,
                        .in = in,
                        .out = out,
                        .sends = sends,
                        .receives = receives});
}

// --- polling ---

ThreadCommunicator::Place ThreadCommunicator::place_of(Ticket ticket) const {
  const Place place{.channel = static_cast<int>(ticket >> kNumberBits), .number = ticket & kNumberMask};
  if (ticket < 0 || static_cast<size_t>(place.channel) >= endpoints_.size() ||
      place.number >= endpoints_[place.channel].posted)
    base::fail<CheckError>("rank {} asks for ticket {}, which it was never given", rank_.value, ticket);
  return place;
}

bool ThreadCommunicator::poll(Ticket ticket) {
  const Place place = place_of(ticket);
  Endpoint& endpoint = endpoints_[place.channel];
  if (state_->failed()) state_->throw_failure(rank_);
  if (endpoint.completed > place.number) return true;
  const bool moved = progress(endpoint, place.number);
  if (state_->failed()) state_->throw_failure(rank_);
  // The caller may have asked for another ticket just before; it must not sleep over what this call did for
  // that one.
  if (moved) state_->bell(rank_).ring_self();
  if (endpoint.completed > place.number) return true;
  if (state_->anyone_left()) check_nobody_left(endpoint);
  return false;
}

bool ThreadCommunicator::progress(Endpoint& asked, int64_t number) {
  try {
    const WorldState::Inside inside(*state_, rank_);
    if (state_->failed()) return false;
    int64_t budget = kBytesPerPoll;
    bool moved = advance(asked, budget);
    if (asked.completed > number) return moved;
    for (Endpoint& endpoint : endpoints_)
      if (&endpoint != &asked) moved |= advance(endpoint, budget);
    return moved;
  } catch (const CommError& error) {
    state_->fail(rank_, error.what());
    throw;
  }
}

bool ThreadCommunicator::advance(Endpoint& endpoint, int64_t& budget) {
  bool moved = false;
  while (endpoint.completed < endpoint.posted) {
    begin(endpoint);
    const Progress now = endpoint.transfer.advance(budget);
    if (now.tell) ring_others(endpoint);
    moved |= now.moved;
    const bool complete = complete_if_done(endpoint);
    moved |= complete;
    if (!complete && !now.moved) break;
  }
  return moved;
}

void ThreadCommunicator::begin(Endpoint& endpoint) {
  if (endpoint.transfer.active()) return;
  SharedChannel& shared = *endpoint.shared;
  endpoint.transfer.start(shared.channel(), shared.meeting(endpoint.completed), endpoint.position);
}

bool ThreadCommunicator::complete_if_done(Endpoint& endpoint) {
  if (!endpoint.transfer.done()) return false;
  endpoint.shared->leave(endpoint.transfer.meeting());
  endpoint.transfer.stop();
  ++endpoint.completed;
  return true;
}

void ThreadCommunicator::wait_for_change(uint32_t seen, int milliseconds) {
  if (!state_->failed()) state_->bell(rank_).wait(seen, milliseconds);
  if (state_->failed()) state_->throw_failure(rank_);
}

// --- the others ---

void ThreadCommunicator::ring_others(const Endpoint& endpoint) {
  for (base::Rank member : endpoint.shared->channel().members)
    if (member != rank_) state_->bell(member).ring();
}

std::vector<base::Rank> ThreadCommunicator::waiting_for(Ticket ticket) const {
  const Place place = place_of(ticket);
  const Endpoint& endpoint = endpoints_[place.channel];
  if (endpoint.completed > place.number) return {};
  const Meeting& meeting = endpoint.shared->meeting(place.number);
  const auto& members = endpoint.shared->channel().members;
  const bool receives = meeting.operation(endpoint.position).kind == Kind::receive;
  for (const Phase phase : {Phase::posted, Phase::finished}) {
    std::vector<base::Rank> late;
    if (receives && phase == Phase::finished) break;  // the copy is the caller's own work
    for (int i = 0; i < meeting.members(); ++i)
      if (i != endpoint.position && !meeting.reached(i, phase)) late.push_back(members[i]);
    if (!late.empty()) return late;
  }
  return {};
}

void ThreadCommunicator::check_nobody_left(const Endpoint& endpoint) {
  if (!endpoint.transfer.active()) return;
  const Meeting& meeting = endpoint.transfer.meeting();
  const Channel& channel = endpoint.shared->channel();
  for (int i = 0; i < meeting.members(); ++i) {
    // In this order: what a rank posted before it left is visible once its leaving is.
    if (!state_->has_left(channel.members[i]) || meeting.reached(i, Phase::posted)) continue;
    const std::string reason = fmt::format("{}, operation {}: rank {} has left and never posts it",
                                           to_string(channel), meeting.number(), channel.members[i].value);
    state_->fail(rank_, reason);
    throw CommError(reason);
  }
}

std::string ThreadCommunicator::open_operations() {
  for (Endpoint& endpoint : endpoints_) {
    while (endpoint.completed < endpoint.posted) {
      begin(endpoint);
      // It may be over without the rank having asked.
      if (!complete_if_done(endpoint))
        return fmt::format("{}, operation {}", to_string(endpoint.shared->channel()), endpoint.completed);
    }
  }
  return {};
}

// --- the world ---

ThreadWorld::ThreadWorld(int ranks) : state_(std::make_shared<WorldState>(ranks)) {}
ThreadWorld::~ThreadWorld() = default;

int ThreadWorld::ranks() const {
  return state_->ranks();
}

std::unique_ptr<Communicator> ThreadWorld::join(base::Rank rank) {
  state_->claim(rank);
  return std::make_unique<ThreadCommunicator>(state_, rank);
}

}  // namespace pleat::comm
