// SPDX-License-Identifier: Apache-2.0
// The event engine: one walker per stage goes through its lanes as run::Rank does on its thread. A head runs
// when its events have fired; computing and host instructions occupy the thread, communications are posted
// and polled, and the thread itself copies, a piece at a time. Not here: what the result means (result.cpp).
#pragma once
#include <cstdint>
#include <deque>
#include <queue>
#include <string>
#include <tuple>
#include <vector>

#include "simulate/machine.h"
#include "simulate/route.h"

namespace pleat::simulate {

/// An instruction that ran.
struct Ran {
  int32_t route = 0;
  int32_t instance = 0;
  const Move* move = nullptr;
  int64_t start_ns = 0, end_ns = 0;
};

struct Log {
  std::vector<int64_t> turn_ends_ns;
  int reported = 0;      // the turn
  std::vector<Ran> ran;  // in it, in order of their ends
};

class Engine {
 public:
  Engine(const program::Program& program, const Routes& routes, const target::Target& target, int turns,
         program::Order order);
  /// CheckError when no walker can go on and some are not done.
  Log run();

 private:
  /// Where a lane stands: its turn, the place in the lane's instances and in the instance's moves.
  struct Head {
    int turn = 0;
    size_t place = 0;
    size_t move = 0;
    bool posted = false;
    int64_t began = 0;
    int64_t meeting = 0;  // number on the channel
    int phase = 0;        // phases that this walker has done
    int pieces = 0;       // of the next one
  };
  struct Walker {
    std::vector<Head> heads;     // by lane
    std::vector<int32_t> fired;  // by event: turns in which it has fired
    size_t cursor = 0;           // in the sweep over the lanes
    bool moved = false;          // something did in this sweep
    bool busy = false;           // with the head under the cursor
    bool woken = false;
  };
  /// The k-th operation of a channel's members.
  struct Meeting {
    const Move* first = nullptr;  // to be there
    int32_t first_route = -1;
    int64_t delay_ns = 0;
    size_t posted = 0, left = 0;
    size_t workers = 0;  // members that copy: all but a sender
    size_t arrived = 0;  // of them, those that have done this phase
    int phase = 0;       // 0: not all have posted; k: the k-th phase may be done; above the last: complete
    bool complete() const { return first != nullptr && phase > first->transfer.phases; }
  };
  struct ChannelState {
    std::deque<Meeting> meetings;
    int64_t first = 0;          // number of the oldest
    std::vector<int64_t> next;  // by seat
  };
  enum class Step : uint8_t { nothing, moved, busy };

  /// Transfers before compute, so that what can be posted is.
  static size_t lane_at(const Walker& walker) { return walker.heads.size() - 1 - walker.cursor; }
  int32_t instance_of(int walker, size_t lane) const;
  const Move& move_of(int walker, size_t lane) const;
  bool done(int walker, size_t lane) const;
  bool ready(int walker, size_t lane) const;

  void wake(int walker);
  void walk(int walker);
  Step advance(int walker, size_t lane);
  bool runs_on(size_t lane) const;
  Step poll(int walker, size_t lane);
  bool occupy(int walker, Work work, int64_t ns);
  void end_job(int walker);
  void end_piece(int walker, size_t lane);
  void finish(int walker, size_t lane);

  Meeting& meeting_at(int32_t channel, int64_t number);
  void leave(int32_t channel, Meeting& meeting);
  void post(int walker, size_t lane);
  void check_agreement(const Meeting& meeting, int walker, const Move& move) const;
  void open_phase(int32_t channel, Meeting& meeting);
  [[noreturn]] void fail_stuck() const;
  std::string why_stuck(int walker, size_t lane) const;
  std::string who_fires(int walker, int32_t event) const;

  const program::Program& program_;
  const Routes& routes_;
  int turns_;
  program::Order order_;
  Machine machine_;
  int64_t now_ = 0;
  std::vector<Walker> walkers_;
  std::vector<ChannelState> channels_;
  std::deque<int> awake_;
  using Timer = std::tuple<int64_t, int32_t, int64_t>;  // time, channel, number of the meeting
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  Log log_;
};

}  // namespace pleat::simulate
