// SPDX-License-Identifier: Apache-2.0
// What the ranks of a ThreadWorld share: a doorbell each, the channels, and the first failure.
// The rule that makes a failure safe: a rank touches other ranks' buffers only while it is `inside`, it looks
// for a failure after it has entered, and whoever ends waits until the others are outside. So no buffer is
// read after its rank has unwound.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/ids.h"
#include "comm/threads/doorbell.h"
#include "comm/threads/meeting.h"

namespace pleat::comm {

class WorldState {
 public:
  explicit WorldState(int ranks);

  int ranks() const { return ranks_; }
  Doorbell& bell(base::Rank rank) { return states_[rank.value].bell; }
  void claim(base::Rank rank);
  SharedChannel& channel(const Channel& channel);

  /// The first call sets the reason; returns when no other rank is inside.
  void fail(base::Rank rank, const std::string& reason);
  bool failed() const { return failed_.load(std::memory_order_seq_cst); }
  [[noreturn]] void throw_failure(base::Rank caller);

  /// From construction to destruction the caller may read other ranks' buffers, unless the world has failed
  /// by then.
  class Inside {
   public:
    Inside(WorldState& state, base::Rank rank) : flag_(state.states_[rank.value].inside) {
      flag_.store(true, std::memory_order_seq_cst);
    }
    ~Inside() { flag_.store(false, std::memory_order_release); }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    std::atomic<bool>& flag_;
  };

  /// A rank that has left posts nothing any more.
  void leave(base::Rank rank);
  bool anyone_left() const { return left_.load(std::memory_order_acquire) > 0; }
  bool has_left(base::Rank rank) const { return states_[rank.value].left.load(std::memory_order_acquire); }

 private:
  struct alignas(64) RankState {
    Doorbell bell;
    std::atomic<bool> inside{false};
    std::atomic<bool> left{false};
    bool claimed = false;  // guarded by mutex_
  };
  void ring_all();
  void wait_until_outside(base::Rank caller) const;

  int ranks_;
  std::unique_ptr<RankState[]> states_;
  std::atomic<bool> failed_{false};
  std::atomic<int> left_{0};
  std::mutex mutex_;  // guards what follows
  std::string failure_;
  std::vector<std::unique_ptr<SharedChannel>> channels_;
};

}  // namespace pleat::comm
