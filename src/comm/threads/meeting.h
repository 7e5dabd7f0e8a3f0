// SPDX-License-Identifier: Apache-2.0
// Where the members of a channel find each other: the k-th operation of each member on a channel meets in its
// k-th Meeting. Members publish their operation and their phase here; data never passes through it.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "comm/communicator.h"
#include "comm/operation.h"

namespace pleat::comm {

/// How far a member is. posted: its operation may be read. reduced: its share of the sum lies in its buffer.
/// finished: it reads nobody's buffer any more.
enum class Phase : uint8_t { absent, posted, reduced, finished };

/// One member's side of a meeting; on cache lines of its own, since members write theirs at the same time.
struct alignas(64) Side {
  std::atomic<Phase> phase{Phase::absent};
  Operation operation;  // its blocks lie in the two vectors, whose capacity is kept
  std::vector<RowBlock> sends;
  std::vector<RowBlock> receives;
};

class Meeting {
 public:
  explicit Meeting(int members);

  int members() const { return members_; }
  int64_t number() const { return number_; }
  /// Readable once the member is at least posted.
  const Operation& operation(int member) const { return sides_[member].operation; }
  bool reached(int member, Phase phase) const {
    return sides_[member].phase.load(std::memory_order_acquire) >= phase;
  }
  bool all_reached(Phase phase) const {
    return counts_[static_cast<size_t>(phase)].load(std::memory_order_acquire) == members_;
  }
  /// True for the last member that enters the phase.
  bool enter(int member, Phase phase);
  bool post(int member, const Operation& operation);

 private:
  friend class SharedChannel;
  void reset(int64_t number);

  int members_;
  int64_t number_ = 0;
  int left_ = 0;  // guarded by the channel
  std::unique_ptr<Side[]> sides_;
  std::atomic<int> counts_[4]{};  // by phase: members that entered it
};

/// The meetings in flight on one channel. They are used again as members leave them, so a warm channel
/// allocates nothing.
class SharedChannel {
 public:
  explicit SharedChannel(Channel channel);

  const Channel& channel() const { return channel_; }
  /// Valid until the caller has left it.
  Meeting& meeting(int64_t number);
  void leave(Meeting& meeting);

 private:
  void grow();
  Meeting& slot(int64_t number) { return *ring_[static_cast<size_t>(number) & (ring_.size() - 1)]; }

  Channel channel_;
  std::mutex mutex_;
  int64_t first_ = 0;                           // the oldest meeting that somebody has not left
  std::vector<std::unique_ptr<Meeting>> ring_;  // first_ .. first_ + size; size is a power of two
};

}  // namespace pleat::comm
