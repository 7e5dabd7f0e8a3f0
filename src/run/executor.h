// SPDX-License-Identifier: Apache-2.0
// The inside of a Rank: what it owns and where it stands. executor.cpp walks, instructions.cpp does,
// watchdog.cpp says what is wrong.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/team.h"
#include "run/bound.h"
#include "run/run.h"
#include "run/watch.h"

namespace pleat::run {

/// Items that run one after the other: a queue, or with program::Order::in_order the whole list.
struct Lane {
  std::string_view name;
  std::vector<int> items;
  bool ahead = false;  // goes as far as it can before compute takes a step
  size_t next = 0;
  int64_t turn = 0;
  bool posted = false;  // the next item is a communication under way
  comm::Communicator::Ticket ticket = 0;
  double began = 0;
};

struct Rank::Implementation {
  Implementation(const program::Program& p, base::Rank r, comm::Communicator& c, Ports& io, Options o);

  const program::Program& program;
  base::Rank rank;
  comm::Communicator& communicator;
  Ports& ports;
  Options options;
  tensor::Arena arena;
  kernels::Team team;
  BoundList bound;
  Watch watch;
  std::vector<comm::RowBlock> sends, receives;  // of the exchange being posted
  std::vector<int64_t> fired;                   // by event: turns in which it has fired

  std::vector<Lane> lanes;
  std::vector<int> order;  // in which lanes are tried
  int64_t steps = 0;
  uint64_t shuffle = 0;

  // executor.cpp
  void check_clock() const;
  void run(int64_t count);
  bool try_lanes(bool& open);
  bool advance(Lane& lane);
  bool ready(const Item& item, int64_t turn) const;
  void shuffle_lanes();
  void sleep(uint32_t seen);
  double now() const { return options.clock ? options.clock() : 0.0; }
  const Item& head(const Lane& lane) const { return bound.items[lane.items[lane.next]]; }

  // instructions.cpp
  /// Runs a computing or host instruction to its end (true), or posts a communication (false).
  bool start(const Item& item, int64_t turn, comm::Communicator::Ticket& ticket);
  comm::Communicator::Ticket post(const Item& item);
  comm::Communicator::Ticket post_exchange(const Item& item);

  // watchdog.cpp
  [[noreturn]] void fail_stalled(double last_progress) const;
  std::string describe(const Item& item) const;
  std::string what_for(const Lane& lane) const;
  const Item* waiting_item() const;
};

}  // namespace pleat::run
