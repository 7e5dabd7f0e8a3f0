// SPDX-License-Identifier: Apache-2.0
// One thread per rank for all of its life: what it maps it touches, what it binds it runs.
#include "run/crew.h"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "comm/threads/world.h"

namespace pleat::run {

struct Crew::Implementation {
  Implementation(const program::Program& p, MakePorts ports, Options o)
      : program(p),
        make_ports(std::move(ports)),
        options(std::move(o)),
        world(static_cast<int>(p.layout.world())) {}

  const program::Program& program;
  MakePorts make_ports;
  Options options;
  comm::ThreadWorld world;
  std::vector<std::thread> threads;

  std::mutex mutex;
  std::condition_variable changed;
  const std::function<void(base::Rank, Rank&)>* task = nullptr;
  int64_t round = 0;  // tasks given so far
  int busy = 0;
  bool ending = false;
  std::exception_ptr cause;

  /// Keeps the first error before anybody is told of it: what other ranks then throw is its consequence.
  void end_all(comm::Communicator& communicator, const char* reason) {
    {
      const std::lock_guard lock(mutex);
      if (!cause) cause = std::current_exception();
    }
    communicator.fail(reason);
  }

  /// Runs part of a rank's life.
  template <class Part>
  void guarded(comm::Communicator& communicator, const Part& part) {
    try {
      part();
    } catch (const std::exception& error) {
      end_all(communicator, error.what());
    } catch (...) {
      end_all(communicator, "an exception that is no std::exception");
    }
  }

  void live(base::Rank rank) {
    const std::unique_ptr<comm::Communicator> communicator = world.join(rank);
    std::unique_ptr<Ports> ports;
    std::unique_ptr<Rank> bound;
    guarded(*communicator, [&] {
      ports = make_ports(rank);
      bound = std::make_unique<Rank>(program, rank, *communicator, *ports, options);
    });
    std::unique_lock lock(mutex);
    for (int64_t seen = 0;;) {
      if (--busy == 0) changed.notify_all();
      changed.wait(lock, [&] { return ending || round > seen; });
      if (ending) return;
      seen = round;
      const auto* body = task;
      lock.unlock();
      if (bound) guarded(*communicator, [&] { (*body)(rank, *bound); });
      lock.lock();
    }
  }

  void wait_for_all(std::unique_lock<std::mutex>& lock) {
    changed.wait(lock, [&] { return busy == 0; });
    if (cause) std::rethrow_exception(cause);
  }

  void end() {
    {
      const std::lock_guard lock(mutex);
      ending = true;
    }
    changed.notify_all();
    for (std::thread& thread : threads) thread.join();
    threads.clear();
  }
};

Crew::Crew(const program::Program& program, MakePorts make_ports, Options options)
    : implementation_(std::make_unique<Implementation>(program, std::move(make_ports), std::move(options))) {
  Implementation& crew = *implementation_;
  crew.busy = static_cast<int>(program.layout.world());
  try {
    for (int64_t rank = 0; rank < program.layout.world(); ++rank)
      crew.threads.emplace_back([&crew, rank] { crew.live(base::Rank(rank)); });
    std::unique_lock lock(crew.mutex);
    crew.wait_for_all(lock);
  } catch (...) {
    crew.end();
    throw;
  }
}

Crew::~Crew() {
  implementation_->end();
}

void Crew::each(const std::function<void(base::Rank, Rank&)>& body) {
  Implementation& crew = *implementation_;
  std::unique_lock lock(crew.mutex);
  if (crew.cause) std::rethrow_exception(crew.cause);
  crew.task = &body;
  ++crew.round;
  crew.busy = static_cast<int>(crew.threads.size());
  crew.changed.notify_all();
  crew.wait_for_all(lock);
}

}  // namespace pleat::run
