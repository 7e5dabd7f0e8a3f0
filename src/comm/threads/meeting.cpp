// SPDX-License-Identifier: Apache-2.0
// The lock covers only the ring of meetings: a few instructions per operation, never a copy.
#include "comm/threads/meeting.h"

#include <utility>

namespace pleat::comm {

Meeting::Meeting(int members) : members_(members), sides_(std::make_unique<Side[]>(members)) {}

bool Meeting::enter(int member, Phase phase) {
  sides_[member].phase.store(phase, std::memory_order_release);
  // Both directions: whoever sees the full count sees what every member did before it entered.
  return counts_[static_cast<size_t>(phase)].fetch_add(1, std::memory_order_acq_rel) + 1 == members_;
}

bool Meeting::post(int member, const Operation& operation) {
  Side& side = sides_[member];
  side.sends.assign(operation.sends.begin(), operation.sends.end());
  side.receives.assign(operation.receives.begin(), operation.receives.end());
  side.operation = operation;
  side.operation.sends = side.sends;
  side.operation.receives = side.receives;
  return enter(member, Phase::posted);
}

void Meeting::reset(int64_t number) {
  number_ = number;
  left_ = 0;
  for (int member = 0; member < members_; ++member)
    sides_[member].phase.store(Phase::absent, std::memory_order_relaxed);
  for (auto& count : counts_) count.store(0, std::memory_order_relaxed);
}

SharedChannel::SharedChannel(Channel channel) : channel_(std::move(channel)) {
  grow();
}

void SharedChannel::grow() {
  constexpr size_t kFirstSize = 4;
  const size_t old_size = ring_.size();
  std::vector<std::unique_ptr<Meeting>> larger(old_size == 0 ? kFirstSize : 2 * old_size);
  for (size_t i = 0; i < larger.size(); ++i) {
    const int64_t number = first_ + static_cast<int64_t>(i);
    auto& place = larger[static_cast<size_t>(number) & (larger.size() - 1)];
    if (i < old_size) {
      place = std::move(ring_[static_cast<size_t>(number) & (old_size - 1)]);
    } else {
      place = std::make_unique<Meeting>(static_cast<int>(channel_.members.size()));
      place->reset(number);
    }
  }
  ring_ = std::move(larger);
}

Meeting& SharedChannel::meeting(int64_t number) {
  const std::scoped_lock lock(mutex_);
  while (number >= first_ + static_cast<int64_t>(ring_.size())) grow();
  return slot(number);
}

void SharedChannel::leave(Meeting& meeting) {
  const std::scoped_lock lock(mutex_);
  // Each member leaves its meetings in order, so the first that all have left is the oldest.
  if (++meeting.left_ < meeting.members_) return;
  meeting.reset(first_ + static_cast<int64_t>(ring_.size()));
  ++first_;
}

}  // namespace pleat::comm
