// SPDX-License-Identifier: Apache-2.0
// Workers take task indexes from one atomic counter. A thread enters a round while it is open, and the
// caller, which works too, closes it when no task is left. It then waits for those that entered and for
// nobody else: a thread that slept through the round, because it was short or its core was taken, costs
// nothing.
#include "kernels/team.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "base/errors.h"

namespace pleat::kernels {

namespace {

// Rounds of one segment follow each other within microseconds; a sleeping thread needs tens of them to wake.
// Yielding gives the core away at once where another rank wants it, so a short phase of it costs nobody
// anything.
constexpr int kYields = 64;

/// Returns when `value` is no longer `seen`.
template <class T>
void wait_while(const std::atomic<T>& value, T seen) {
  for (int i = 0; i < kYields; ++i) {
    if (value.load(std::memory_order_acquire) != seen) return;
    std::this_thread::yield();
  }
  value.wait(seen, std::memory_order_acquire);
}

}  // namespace

struct Team::Shared {
  // Of the gate: how many threads are inside, whether more may enter, and above these the number of the
  // round.
  static constexpr uint32_t kInside = 0xffff, kOpen = 0x10000, kRound = 0x20000;

  std::vector<std::thread> threads;
  std::atomic<uint32_t> gate{0};
  std::atomic<uint32_t> left{0};  // threads that have left a round, ever
  std::atomic<int64_t> next{0};
  int64_t tasks = 0;
  void* body = nullptr;
  Body call = nullptr;
  std::atomic<bool> closing{false};
  std::mutex error_mutex;
  std::exception_ptr error;

  void work(int worker) {
    try {
      for (;;) {
        const int64_t index = next.fetch_add(1, std::memory_order_relaxed);
        if (index >= tasks) return;
        call(body, index, worker);
      }
    } catch (...) {
      next.store(tasks, std::memory_order_relaxed);  // what has not begun is not begun
      const std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
    }
  }

  /// Enters the next round that is open; false when there will be none.
  bool enter(uint32_t& last) {
    for (uint32_t now = gate.load(std::memory_order_acquire);;) {
      const bool open = (now & kOpen) != 0 && (now / kRound != last || closing);  // numbers of rounds recur
      if (!open) {
        wait_while(gate, now);
        now = gate.load(std::memory_order_acquire);
      } else if (gate.compare_exchange_weak(now, now + 1, std::memory_order_acq_rel)) {
        last = now / kRound;
        return !closing;
      }
    }
  }

  void leave() {
    gate.fetch_sub(1, std::memory_order_acq_rel);
    left.fetch_add(1, std::memory_order_release);
    left.notify_one();
  }

  void serve(int worker) {
    for (uint32_t last = 0; enter(last); leave()) work(worker);
  }

  void open_round() {
    const uint32_t round = gate.load(std::memory_order_relaxed) / kRound + 1;
    gate.store(round * kRound + kOpen, std::memory_order_release);
    gate.notify_all();
  }

  void close_round() {
    gate.fetch_and(~kOpen, std::memory_order_acq_rel);
    for (;;) {
      const uint32_t seen = left.load(std::memory_order_acquire);
      if ((gate.load(std::memory_order_acquire) & kInside) == 0) return;
      wait_while(left, seen);
    }
  }

  void close() {
    closing = true;
    open_round();
    for (std::thread& thread : threads) thread.join();
  }
};

Team::Team(int size) : shared_(std::make_unique<Shared>()) {
  if (size < 1) base::fail<base::CheckError>("a team of {} workers; at least 1 is needed", size);
  try {
    for (int worker = 1; worker < size; ++worker)
      shared_->threads.emplace_back([shared = shared_.get(), worker] { shared->serve(worker); });
  } catch (...) {
    shared_->close();
    throw;
  }
}

Team::~Team() {
  shared_->close();
}

int Team::size() const {
  return static_cast<int>(shared_->threads.size()) + 1;
}

void Team::run_erased(int64_t tasks, void* body, Body call) {
  if (shared_->threads.empty() || tasks <= 1) {
    for (int64_t index = 0; index < tasks; ++index) call(body, index, 0);
    return;
  }
  shared_->next.store(0, std::memory_order_relaxed);
  shared_->tasks = tasks;
  shared_->body = body;
  shared_->call = call;
  shared_->open_round();
  shared_->work(0);
  shared_->close_round();
  if (shared_->error) std::rethrow_exception(std::exchange(shared_->error, nullptr));
}

}  // namespace pleat::kernels
