// SPDX-License-Identifier: Apache-2.0
// The step loop: one function per kind of instruction; heads of queues run as their events let them.
#include <algorithm>
#include <cstring>

#include "base/errors.h"
#include "kernels/team.h"
#include "run/bound.h"
#include "run/run.h"

namespace pleat::run {

using comm::Communicator;
using graph::Op;
using program::kQueues;

struct Rank::Implementation {
  Implementation(const program::Program& p, base::Rank r, Communicator& c, Ports& io, Options o)
      : program(p),
        rank(r),
        communicator(c),
        ports(io),
        options(std::move(o)),
        arena(p.arena_bytes(p.list_of(r))),
        team(p.threads),
        bound(bind_list(p, r, arena, c, team.size())),
        fired(bound.events, 0) {
    for (const Item& item : bound.items)
      plans.push_back(item.instruction->op == Op::exchange ? exchange_plan(p, r, *item.instruction) : ExchangePlan{});
    for (const ExchangePlan& plan : plans) {
      sends.reserve(plan.experts * plan.members);
      receives.reserve(plan.experts * plan.members);
    }
  }

  const program::Program& program;
  base::Rank rank;
  Communicator& communicator;
  Ports& ports;
  Options options;
  tensor::Arena arena;
  kernels::Team team;
  BoundList bound;
  std::vector<ExchangePlan> plans;  // by item
  std::vector<comm::RowBlock> sends, receives;
  std::vector<int64_t> fired;  // by event: turns in which it has fired

  /// Where a queue stands: the turn and the item in it, and the ticket its head has posted.
  struct Head {
    int64_t turn = 0;
    size_t next = 0;
    Communicator::Ticket ticket = 0;
    bool posted = false;
    double began = 0;
  };
  std::array<Head, kQueues> heads;
  int64_t steps = 0;
  uint64_t shuffle = 0;

  void run(int64_t count);
  void run_in_order();
  void run_queues();
  bool advance(int queue);
  bool ready(const Item& item, int64_t turn) const;
  bool start(const Item& item, int64_t turn, Communicator::Ticket& ticket);
  void compute(const Item& item);
  void load(const Item& item, int64_t turn);
  void emit(const Item& item, int64_t turn);
  Communicator::Ticket post(const Item& item);
  Communicator::Ticket post_exchange(const Item& item);
  void finish(const Item& item, double began);
  void check_stall(double last_progress) const;
  double now() const { return options.clock ? options.clock() : 0.0; }
  std::string describe(const Item& item) const;
  [[noreturn]] void fail_with(const Item& item, const std::exception& error);
  std::span<std::byte> read_bytes(const Item& item, int i) const {
    return {item.reads[i], static_cast<size_t>(item.instruction->reads[i].type.bytes())};
  }
  std::span<std::byte> write_bytes(const Item& item, int i) const {
    return {item.writes[i], static_cast<size_t>(item.instruction->results[i].region.type.bytes())};
  }
};

std::string Rank::Implementation::describe(const Item& item) const {
  const auto& instance = program.list_of(rank).instances[item.instance];
  return fmt::format("rank {}, {}, micro-batch {}, instruction {}: {}", rank.value,
                     program.segments[instance.segment].name, item.micro_batch, item.index,
                     program::to_text(*item.instruction));
}

void Rank::Implementation::fail_with(const Item& item, const std::exception& error) {
  const std::string text = fmt::format("{}\n  at {}", error.what(), describe(item));
  if (dynamic_cast<const base::CommError*>(&error) != nullptr) throw base::CommError(text);
  if (dynamic_cast<const base::DataError*>(&error) != nullptr) throw base::DataError(text);
  throw base::CheckError(text);
}

bool Rank::Implementation::ready(const Item& item, int64_t turn) const {
  return std::all_of(item.waits.begin(), item.waits.end(),
                     [&](const program::Wait& wait) { return fired[wait.event] >= turn + 1 - wait.lag; });
}

void Rank::Implementation::compute(const Item& item) {
  kernels::Call call{{item.reads, item.instruction->reads.size()},
                     {item.writes, item.instruction->results.size()},
                     item.workspace,
                     item.first};
  item.kernel->run(call, team);
}

void Rank::Implementation::load(const Item& item, int64_t turn) {
  ports.fill(item.instruction->attributes.word("port"), turn, item.micro_batch, write_bytes(item, 0));
}

void Rank::Implementation::emit(const Item& item, int64_t turn) {
  ports.take(item.instruction->attributes.word("port"), turn, item.micro_batch, read_bytes(item, 0));
}

Communicator::Ticket Rank::Implementation::post_exchange(const Item& item) {
  const ExchangePlan& plan = plans[&item - bound.items.data()];
  exchange_blocks(plan, reinterpret_cast<const int32_t*>(item.reads[1]), sends, receives);
  return communicator.exchange(item.channel, read_bytes(item, 0), write_bytes(item, 0), plan.row_bytes, sends, receives);
}

Communicator::Ticket Rank::Implementation::post(const Item& item) {
  const program::Instruction& instruction = *item.instruction;
  switch (instruction.op) {
    case Op::send: return communicator.send(item.channel, read_bytes(item, 0));
    case Op::receive: return communicator.receive(item.channel, write_bytes(item, 0));
    case Op::all_reduce:
      if (item.reads[0] != item.writes[0]) std::memcpy(item.writes[0], item.reads[0], read_bytes(item, 0).size());
      return communicator.all_reduce(item.channel, write_bytes(item, 0), instruction.reads[0].type.dtype);
    case Op::all_gather: return communicator.all_gather(item.channel, read_bytes(item, 0), write_bytes(item, 0));
    case Op::reduce_scatter:
      return communicator.reduce_scatter(item.channel, read_bytes(item, 0), write_bytes(item, 0),
                                         instruction.reads[0].type.dtype);
    case Op::all_to_all: return communicator.all_to_all(item.channel, read_bytes(item, 0), write_bytes(item, 0));
    case Op::exchange: return post_exchange(item);
    default: base::fail<base::CheckError>("{} is no communication", graph::name_of(instruction.op));
  }
}

/// Runs a computing or host instruction to its end (true), or posts a communication (false).
bool Rank::Implementation::start(const Item& item, int64_t turn, Communicator::Ticket& ticket) {
  if (item.kernel != nullptr) return compute(item), true;
  if (item.instruction->op == Op::load) return load(item, turn), true;
  if (item.instruction->op == Op::emit) return emit(item, turn), true;
  ticket = post(item);
  return false;
}

void Rank::Implementation::finish(const Item& item, double began) {
  if (item.fires >= 0) ++fired[item.fires];
  if (options.times) options.times(item.instance, item.index, began, now());
}

void Rank::Implementation::run_in_order() {
  for (int64_t turn = 0; turn < steps; ++turn) {
    for (const Item& item : bound.items) {
      try {
        const double began = options.times ? now() : 0;
        Communicator::Ticket ticket = 0;
        if (!start(item, turn, ticket)) {
          double since = now();
          for (uint32_t seen = communicator.change_count(); !communicator.poll(ticket); seen = communicator.change_count()) {
            communicator.wait_for_change(seen, 100);
            if (options.stall_seconds > 0 && now() - since > options.stall_seconds) check_stall(since);
          }
        }
        finish(item, began);
      } catch (const std::exception& error) {
        fail_with(item, error);
      }
    }
  }
}

/// One step of a queue's head: poll it, or start it when its events have fired. True when something moved.
bool Rank::Implementation::advance(int queue) {
  Head& head = heads[queue];
  const std::vector<int>& line = bound.queues[queue];
  if (line.empty() || head.turn == steps) return false;
  const Item& item = bound.items[line[head.next]];
  try {
    if (!head.posted) {
      if (!ready(item, head.turn)) return false;
      head.began = options.times ? now() : 0;
      head.posted = !start(item, head.turn, head.ticket);
    }
    if (head.posted && !communicator.poll(head.ticket)) return false;
    head.posted = false;
    finish(item, head.began);
  } catch (const std::exception& error) {
    fail_with(item, error);
  }
  if (++head.next == line.size()) head.next = 0, ++head.turn;
  return true;
}

void Rank::Implementation::check_stall(double last_progress) const {
  std::string text = fmt::format("rank {} stalled: no progress for {:.1f} s", rank.value, now() - last_progress);
  for (int q = 0; q < kQueues; ++q) {
    const Head& head = heads[q];
    if (bound.queues[q].empty() || head.turn == steps) continue;
    const Item& item = bound.items[bound.queues[q][head.next]];
    text += fmt::format("\n  queue {} at {}", program::name_of(static_cast<program::Queue>(q)), describe(item));
    if (!head.posted) continue;
    for (base::Rank other : communicator.waiting_for(head.ticket)) text += fmt::format("; waits for rank {}", other.value);
  }
  throw base::CommError(text);
}

void Rank::Implementation::run_queues() {
  heads.fill({});
  std::array<int, kQueues> order;
  for (int q = 0; q < kQueues; ++q) order[q] = kQueues - 1 - q;  // transfers before compute: post early
  double last_progress = now();
  while (true) {
    if (options.shuffle_seed != 0) {
      for (int i = kQueues - 1; i > 0; --i) {
        shuffle = shuffle * 6364136223846793005u + 1442695040888963407u;
        std::swap(order[i], order[(shuffle >> 33) % static_cast<uint64_t>(i + 1)]);
      }
    }
    const uint32_t seen = communicator.change_count();
    bool moved = false, open = false;
    for (int q : order) {
      moved = advance(q) || moved;
      open = open || (!bound.queues[q].empty() && heads[q].turn < steps);
      if (moved && options.shuffle_seed != 0) break;  // choose anew after every instruction
    }
    if (!open && !moved) return;
    if (moved) {
      last_progress = now();
    } else {
      communicator.wait_for_change(seen, 100);
      if (options.stall_seconds > 0 && now() - last_progress > options.stall_seconds) check_stall(last_progress);
    }
  }
}

void Rank::Implementation::run(int64_t count) {
  steps = count;
  shuffle = options.shuffle_seed + static_cast<uint64_t>(rank.value) * 0x9e3779b97f4a7c15u;
  std::fill(fired.begin(), fired.end(), 0);
  try {
    if (options.order == Order::inline_) run_in_order();
    else run_queues();
  } catch (const std::exception& error) {
    communicator.fail(error.what());
    throw;
  }
}

Rank::Rank(const program::Program& program, base::Rank rank, Communicator& communicator, Ports& ports, Options options)
    : implementation_(std::make_unique<Implementation>(program, rank, communicator, ports, std::move(options))) {}
Rank::~Rank() = default;

void Rank::run(int64_t steps) {
  implementation_->run(steps);
}

std::span<std::byte> Rank::bytes(const program::Region& region) {
  const auto areas = program::area_offsets(implementation_->program.list_of(implementation_->rank));
  return implementation_->arena.bytes(areas[static_cast<int>(region.area)] + region.offset, region.type.bytes());
}

std::span<std::byte> Rank::state(const program::StateSlot& slot) {
  return bytes(slot.region);
}

int64_t Rank::arena_bytes() const {
  return implementation_->arena.size();
}

int64_t Rank::highest_touched() const {
  return implementation_->arena.highest_touched();
}

}  // namespace pleat::run
