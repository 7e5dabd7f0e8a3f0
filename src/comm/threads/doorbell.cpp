// SPDX-License-Identifier: Apache-2.0
// The order of stores here is the whole correctness: the sleeper announces itself, then the kernel compares
// the counter; the ringer counts, then looks for a sleeper. One of the two always sees the other.
#include "comm/threads/doorbell.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

namespace pleat::comm {
namespace {

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t) &&
              std::atomic<uint32_t>::is_always_lock_free);

void futex(std::atomic<uint32_t>& word, int what, uint32_t value, const timespec* timeout) {
  // The result does not matter: the caller looks at the counter again in every case.
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), what, value, timeout, nullptr, 0);
}

}  // namespace

void Doorbell::ring() {
  count_.fetch_add(1, std::memory_order_seq_cst);
  if (asleep_.load(std::memory_order_seq_cst) != 0) futex(count_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr);
}

void Doorbell::wait(uint32_t seen, int milliseconds) {
  if (milliseconds <= 0 || count() != seen) return;
  const timespec timeout{.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1'000'000L};
  asleep_.store(1, std::memory_order_seq_cst);
  futex(count_, FUTEX_WAIT_PRIVATE, seen, &timeout);
  asleep_.store(0, std::memory_order_seq_cst);
}

}  // namespace pleat::comm
