// SPDX-License-Identifier: Apache-2.0
// A rank's own workers. Work is cut by shape into numbered tasks, never by the number of workers, so that
// every number of workers gives the same bits; which worker runs a task is not fixed.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>

namespace pleat::kernels {

class Team {
 public:
  /// `size` workers, the calling thread being one of them. Starts size - 1 threads; nobody's affinity is set.
  explicit Team(int size);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const;

  /// Calls task(index, worker) for every index in [0, tasks), worker in [0, size()), and returns when all are
  /// done. The first exception is rethrown here. Does not allocate. Not reentrant.
  template <class Task>
  void run(int64_t tasks, Task&& task) {
    run_erased(tasks, &task, [](void* body, int64_t index, int worker) {
      (*static_cast<std::remove_reference_t<Task>*>(body))(index, worker);
    });
  }

 private:
  using Body = void (*)(void* body, int64_t index, int worker);
  void run_erased(int64_t tasks, void* body, Body call);
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

}  // namespace pleat::kernels
