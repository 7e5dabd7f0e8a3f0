// SPDX-License-Identifier: Apache-2.0
// Ranks that are threads of one process: receivers copy straight from the sender's buffer, each member of a
// group reduces its share by reading everybody's. Nothing blocks; a rank with nothing to do sleeps on a
// futex. A failure ends all: no rank throws while another one still reads its buffers.
#pragma once
#include <memory>

#include "base/ids.h"
#include "comm/communicator.h"

namespace pleat::comm {

class WorldState;

class ThreadWorld {
 public:
  explicit ThreadWorld(int ranks);
  ~ThreadWorld();
  ThreadWorld(const ThreadWorld&) = delete;
  ThreadWorld& operator=(const ThreadWorld&) = delete;

  int ranks() const;

  /// Once per rank, from any thread; the communicator is then used (and destroyed) by one thread at a time
  /// and may outlive the world. Destroyed with operations still open, or while an exception unwinds, it fails
  /// the world in its rank's name.
  std::unique_ptr<Communicator> join(base::Rank rank);

 private:
  std::shared_ptr<WorldState> state_;
};

}  // namespace pleat::comm
