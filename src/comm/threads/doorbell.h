// SPDX-License-Identifier: Apache-2.0
// A counter that one thread can sleep on with a timeout and any thread can ring. std::atomic's wait has no
// timeout, and a ring that finds nobody asleep costs no system call.
#pragma once
#include <atomic>
#include <cstdint>

namespace pleat::comm {

class Doorbell {
 public:
  uint32_t count() const { return count_.load(std::memory_order_acquire); }
  void ring();
  /// The owner's own ring: it is awake, so nobody need be woken.
  void ring_self() { count_.fetch_add(1, std::memory_order_release); }
  /// Returns when count() != seen, after `milliseconds`, or for no reason at all.
  void wait(uint32_t seen, int milliseconds);

 private:
  std::atomic<uint32_t> count_{0};
  std::atomic<uint32_t> asleep_{0};
};

}  // namespace pleat::comm
