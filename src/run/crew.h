// SPDX-License-Identifier: Apache-2.0
// All ranks of a Program in this process: a thread each, which binds its rank and then does what it is told.
// One rank that throws ends the others; the first cause is what the caller sees.
#pragma once
#include <functional>
#include <memory>

#include "run/run.h"

namespace pleat::run {

class Crew {
 public:
  /// Makes the ports of a rank; called on its thread.
  using MakePorts = std::function<std::unique_ptr<Ports>(base::Rank)>;
  /// Starts one thread per rank of the Program's world and binds. Throws what the first failing rank threw.
  Crew(const program::Program& program, MakePorts make_ports, Options options);
  ~Crew();

  /// Runs the body on every rank's thread at once and waits for all of them.
  void each(const std::function<void(base::Rank, Rank&)>& body);
  void run(int64_t steps) {
    each([steps](base::Rank, Rank& rank) { rank.run(steps); });
  }

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace pleat::run
