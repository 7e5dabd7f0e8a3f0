// SPDX-License-Identifier: Apache-2.0
// Workers take task indexes from one atomic counter. A round begins when the caller advances `round` and ends
// when every thread has left it; only then may the next one reuse body, call and the counter.
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
  std::vector<std::thread> threads;
  std::atomic<uint32_t> round{0};
  std::atomic<int> busy{0};  // threads that have not left this round
  std::atomic<int64_t> next{0};
  int64_t tasks = 0;
  void* body = nullptr;
  Body call = nullptr;
  bool closing = false;
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

  void serve(int worker) {
    for (uint32_t seen = 0;; ++seen) {
      wait_while(round, seen);
      if (closing) return;
      work(worker);
      if (busy.fetch_sub(1, std::memory_order_acq_rel) == 1) busy.notify_one();
    }
  }

  void begin_round() {
    busy.store(static_cast<int>(threads.size()), std::memory_order_relaxed);
    round.fetch_add(1, std::memory_order_release);
    round.notify_all();
  }

  void wait_for_threads() {
    for (int left = busy.load(std::memory_order_acquire); left != 0;
         left = busy.load(std::memory_order_acquire))
      wait_while(busy, left);
  }

  void close() {
    closing = true;
    begin_round();
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
  shared_->begin_round();
  shared_->work(0);
  shared_->wait_for_threads();
  if (shared_->error) std::rethrow_exception(std::exchange(shared_->error, nullptr));
}

}  // namespace pleat::kernels
