// SPDX-License-Identifier: Apache-2.0
// Joining, finding a channel, failing and leaving: everything that happens seldom.
#include "comm/threads/world_state.h"

#include <algorithm>
#include <thread>

#include "base/errors.h"

namespace pleat::comm {

using base::CommError;

WorldState::WorldState(int ranks)
    : ranks_(ranks), states_(std::make_unique<RankState[]>(static_cast<size_t>(std::max(ranks, 0)))) {
  if (ranks < 1) base::fail<CommError>("a world of {} ranks; at least 1", ranks);
}

void WorldState::claim(base::Rank rank) {
  if (rank.value < 0 || rank.value >= ranks_)
    base::fail<CommError>("rank {} joins a world of {} ranks: choose 0 to {}", rank.value, ranks_,
                          ranks_ - 1);
  const std::scoped_lock lock(mutex_);
  if (states_[rank.value].claimed) base::fail<CommError>("rank {} joins a second time", rank.value);
  states_[rank.value].claimed = true;
}

SharedChannel& WorldState::channel(const Channel& channel) {
  const std::scoped_lock lock(mutex_);
  for (const auto& known : channels_)
    if (known->channel() == channel) return *known;
  channels_.push_back(std::make_unique<SharedChannel>(channel));
  return *channels_.back();
}

void WorldState::fail(base::Rank rank, const std::string& reason) {
  {
    const std::scoped_lock lock(mutex_);
    if (!failed_.load(std::memory_order_relaxed)) {
      failure_ = fmt::format("rank {} failed: {}", rank.value, reason);
      failed_.store(true, std::memory_order_seq_cst);
    }
  }
  ring_all();
  wait_until_outside(rank);
}

void WorldState::throw_failure(base::Rank caller) {
  wait_until_outside(caller);
  const std::scoped_lock lock(mutex_);
  throw CommError(failure_);
}

void WorldState::leave(base::Rank rank) {
  states_[rank.value].left.store(true, std::memory_order_release);
  left_.fetch_add(1, std::memory_order_acq_rel);
  ring_all();
}

void WorldState::ring_all() {
  for (int rank = 0; rank < ranks_; ++rank) states_[rank].bell.ring();
}

void WorldState::wait_until_outside(base::Rank caller) const {
  // Short: who is inside does one piece of work and then sees the failure.
  for (int rank = 0; rank < ranks_; ++rank)
    while (rank != caller.value && states_[rank].inside.load(std::memory_order_seq_cst))
      std::this_thread::yield();
}

}  // namespace pleat::comm
