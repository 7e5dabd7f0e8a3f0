// SPDX-License-Identifier: Apache-2.0
// Executes a Program for one rank. Bound once, on the rank's own thread; then a loop that only calls bound
// functions. Nothing here knows the job, the model or how the Program came to be.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "comm/communicator.h"
#include "program/program.h"

namespace pleat::run {

/// The caller's side of the ports; called on the rank's thread, in the order of the step.
class Ports {
 public:
  virtual ~Ports() = default;
  /// Fills an input port (`load`). step counts from the first of run(), micro_batch is the rank's, -1 for the
  /// step's own.
  virtual void fill(std::string_view port, int64_t step, int micro_batch, std::span<std::byte> bytes) = 0;
  /// Takes an output port (`emit`).
  virtual void take(std::string_view port, int64_t step, int micro_batch,
                    std::span<const std::byte> bytes) = 0;
};

/// Begin and end of an instruction that ran, told on the rank's thread. Of a communication `begin` is when it
/// was posted, `end` when it was seen to be complete.
using Times = std::function<void(base::Rank rank, int instance, int instruction, double begin, double end)>;

struct Options {
  program::Order order = program::Order::queues;
  /// Not 0: the choice among runnable heads is shuffled by it; the result may not depend on it.
  uint64_t shuffle_seed = 0;
  /// Seconds without any progress after which a rank ends with an error that names itself, its instructions
  /// and whom they wait for. 0: never.
  double stall_seconds = 0;
  std::function<double()> clock{};  // seconds, monotonic; needed by stall_seconds and by `times`
  Times times{};                    // called after each instruction, when set: for traces and benchmarks
};

class Rank {
 public:
  /// Maps and touches the arena, starts the team, binds every kernel, opens every channel. Throws CheckError
  /// when a kernel wants more than the Program gives it.
  Rank(const program::Program& program, base::Rank rank, comm::Communicator& communicator, Ports& ports,
       Options options);
  ~Rank();
  Rank(const Rank&) = delete;
  Rank& operator=(const Rank&) = delete;

  /// Runs `steps` turns of the Program. An error names rank, instruction and its text; the caller tells the
  /// communicator (fail), which ends the other ranks. Crew does.
  void run(int64_t steps);
  /// Options::times anew, for the next run(); empty: the clock is read no more. For a few steps out of many.
  void tell_times(Times times);

  /// The bytes of a slot of the state section, for initial values and checkpoints.
  std::span<std::byte> state(const program::StateSlot& slot);
  /// The bytes of any region that is not framed.
  std::span<std::byte> bytes(const program::Region& region);

  int64_t arena_bytes() const;
  /// One past the highest byte of the arena that was ever written since it was mapped; more than
  /// arena_bytes() when something wrote behind its end. Of an area: counted from the area's begin.
  int64_t highest_touched() const;
  int64_t highest_touched(program::Area area) const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace pleat::run
