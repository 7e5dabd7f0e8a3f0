// SPDX-License-Identifier: Apache-2.0
#include "simulate/engine.h"

#include <algorithm>

#include "base/errors.h"

namespace pleat::simulate {
namespace {

/// A poll moves a megabyte; longer copies are cut into few pieces, since only their interleaving matters.
int pieces_of(const Work& work) {
  constexpr double kTrafficPerPiece = 2.0 * (1 << 20);
  constexpr double kMostPieces = 8;
  return static_cast<int>(
      std::clamp(static_cast<double>(work.ns) * work.bytes_per_ns / kTrafficPerPiece, 1.0, kMostPieces));
}

std::vector<int64_t> ranks_of(const Routes& routes) {
  std::vector<int64_t> ranks;
  for (const Route& route : routes.routes) ranks.push_back(route.ranks);
  return ranks;
}

}  // namespace

Engine::Engine(const program::Program& program, const Routes& routes, const target::Target& target, int turns,
               program::Order order)
    : program_(program), routes_(routes), turns_(turns), order_(order), machine_(target, ranks_of(routes)) {
  for (const Route& route : routes.routes) {
    Walker walker;
    walker.heads.resize(route.lanes.size());
    walker.fired.assign(route.list->events, 0);
    walkers_.push_back(std::move(walker));
  }
  channels_.resize(routes.channels.size());
  for (size_t i = 0; i < channels_.size(); ++i) channels_[i].next.assign(routes.channels[i].routes.size(), 0);
  log_.turn_ends_ns.assign(turns, 0);
  log_.reported = turns > 2 ? turns - 2 : turns - 1;
}

Log Engine::run() {
  for (size_t i = 0; i < walkers_.size(); ++i) wake(static_cast<int>(i));
  while (true) {
    while (!awake_.empty()) {
      const int walker = awake_.front();
      awake_.pop_front();
      walkers_[walker].woken = false;
      walk(walker);
    }
    const int64_t next =
        std::min(machine_.next_end(now_), timers_.empty() ? Machine::kNever : std::get<0>(timers_.top()));
    if (next == Machine::kNever) break;
    now_ = next;
    for (; !timers_.empty() && std::get<0>(timers_.top()) <= now_; timers_.pop()) {
      const auto [time, channel, number] = timers_.top();
      open_phase(channel, meeting_at(channel, number));
    }
    for (int walker : machine_.take_ended(now_)) end_job(walker);
  }
  for (size_t w = 0; w < walkers_.size(); ++w)
    for (size_t lane = 0; lane < walkers_[w].heads.size(); ++lane)
      if (!done(static_cast<int>(w), lane)) fail_stuck();
  return std::move(log_);
}

int32_t Engine::instance_of(int walker, size_t lane) const {
  return routes_.routes[walker].lanes[lane].instances[walkers_[walker].heads[lane].place];
}

const Move& Engine::move_of(int walker, size_t lane) const {
  const Route& route = routes_.routes[walker];
  return route.moves[route.list->instances[instance_of(walker, lane)].segment][lane]
                    [walkers_[walker].heads[lane].move];
}

bool Engine::done(int walker, size_t lane) const {
  return walkers_[walker].heads[lane].turn == turns_ || routes_.routes[walker].lanes[lane].instances.empty();
}

bool Engine::ready(int walker, size_t lane) const {
  if (order_ == program::Order::in_order) return true;
  const program::Instance& instance = routes_.routes[walker].list->instances[instance_of(walker, lane)];
  const Walker& w = walkers_[walker];
  const Move& move = move_of(walker, lane);
  const int turn = w.heads[lane].turn;
  for (int32_t event : move.instruction->waits)
    if (w.fired[instance.first_event + event] <= turn) return false;
  if (!move.opens_queue) return true;
  return std::all_of(instance.waits.begin(), instance.waits.end(), [&](const program::Wait& wait) {
    return wait.queue != move.instruction->queue || w.fired[wait.event] >= turn + 1 - wait.lag;
  });
}

void Engine::wake(int walker) {
  if (walkers_[walker].woken) return;
  walkers_[walker].woken = true;
  awake_.push_back(walker);
}

/// Sweeps over the lanes until the thread is busy or nothing moves. Transfers go as far as they can before
/// the next computing instruction begins: what is behind a finished one is posted at once.
void Engine::walk(int walker) {
  Walker& w = walkers_[walker];
  if (w.busy) return;  // it sweeps again anyway
  while (true) {
    for (; w.cursor < w.heads.size(); ++w.cursor) {
      const size_t lane = lane_at(w);
      Step step = advance(walker, lane);
      for (; step == Step::moved && runs_on(lane); step = advance(walker, lane)) w.moved = true;
      if (step == Step::busy) return;
      w.moved = w.moved || step == Step::moved;
    }
    w.cursor = 0;
    if (!w.moved) return;
    w.moved = false;
  }
}

bool Engine::runs_on(size_t lane) const {
  const auto queue = static_cast<program::Queue>(lane);
  return order_ == program::Order::queues && queue != program::Queue::compute &&
         queue != program::Queue::host;
}

Engine::Step Engine::advance(int walker, size_t lane) {
  if (done(walker, lane)) return Step::nothing;
  Head& head = walkers_[walker].heads[lane];
  if (!head.posted) {
    if (!ready(walker, lane)) return Step::nothing;
    const Move& move = move_of(walker, lane);
    head.began = now_;
    if (!move.communicates) {
      if (occupy(walker, move.work, move.work.ns)) return Step::busy;
      finish(walker, lane);
      return Step::moved;
    }
    post(walker, lane);
  }
  return poll(walker, lane);
}

Engine::Step Engine::poll(int walker, size_t lane) {
  Head& head = walkers_[walker].heads[lane];
  const Move& move = move_of(walker, lane);
  Meeting& meeting = meeting_at(move.channel, head.meeting);
  bool moved = false;
  while (!meeting.complete()) {
    if (move.instruction->op == graph::Op::send || head.phase == meeting.phase)
      return moved ? Step::moved : Step::nothing;
    const Work& work = move.transfer.work[meeting.phase - 1];
    const int pieces = pieces_of(work);
    if (occupy(walker, work, work.ns * (head.pieces + 1) / pieces - work.ns * head.pieces / pieces))
      return Step::busy;
    end_piece(walker, lane);
    moved = true;
  }
  leave(move.channel, meeting);
  finish(walker, lane);
  return Step::moved;
}

bool Engine::occupy(int walker, Work work, int64_t ns) {
  if (ns == 0) return false;
  work.ns = ns;
  machine_.start(walker, work, now_);
  return walkers_[walker].busy = true;
}

void Engine::end_job(int walker) {
  Walker& w = walkers_[walker];
  const size_t lane = lane_at(w);
  w.busy = false;
  w.moved = true;
  if (move_of(walker, lane).communicates) {
    end_piece(walker, lane);
    const Move& move = move_of(walker, lane);
    Meeting& meeting = meeting_at(move.channel, w.heads[lane].meeting);
    if (meeting.complete()) {
      leave(move.channel, meeting);
      finish(walker, lane);
    }
  } else {
    finish(walker, lane);
  }
  if (!runs_on(lane) || w.heads[lane].posted) ++w.cursor;  // a copy goes on at the next sweep
  wake(walker);
}

void Engine::end_piece(int walker, size_t lane) {
  Head& head = walkers_[walker].heads[lane];
  const Move& move = move_of(walker, lane);
  Meeting& meeting = meeting_at(move.channel, head.meeting);
  if (++head.pieces < pieces_of(move.transfer.work[meeting.phase - 1])) return;
  head.pieces = 0;
  head.phase = meeting.phase;
  if (++meeting.arrived == meeting.workers) open_phase(move.channel, meeting);
}

void Engine::finish(int walker, size_t lane) {
  Walker& w = walkers_[walker];
  Head& head = w.heads[lane];
  const Route& route = routes_.routes[walker];
  const int32_t number = instance_of(walker, lane);
  const program::Instance& instance = route.list->instances[number];
  const Move& move = move_of(walker, lane);
  if (move.instruction->fires) ++w.fired[instance.first_event + *move.instruction->fires];
  log_.turn_ends_ns[head.turn] = std::max(log_.turn_ends_ns[head.turn], now_);
  if (head.turn == log_.reported) log_.ran.push_back({walker, number, &move, head.began, now_});
  head.posted = false;
  head.phase = 0;
  if (++head.move < route.moves[instance.segment][lane].size()) return;
  head.move = 0;
  if (++head.place < route.lanes[lane].instances.size()) return;
  head.place = 0;
  ++head.turn;
}

}  // namespace pleat::simulate
