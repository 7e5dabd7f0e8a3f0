// SPDX-License-Identifier: Apache-2.0
// The engine's communications: where posts meet, when their copies may begin, and what it says when nobody
// can go on.
#include <algorithm>

#include "base/errors.h"
#include "simulate/engine.h"

namespace pleat::simulate {

using base::CheckError;
using base::fail;
using graph::Op;

Engine::Meeting& Engine::meeting_at(int32_t channel, int64_t number) {
  ChannelState& state = channels_[channel];
  const auto index = static_cast<size_t>(number - state.first);
  while (state.meetings.size() <= index) state.meetings.emplace_back();
  return state.meetings[index];
}

void Engine::leave(int32_t channel, Meeting& meeting) {
  ++meeting.left;
  ChannelState& state = channels_[channel];
  while (!state.meetings.empty() && state.meetings.front().left == routes_.channels[channel].routes.size()) {
    state.meetings.pop_front();
    ++state.first;
  }
}

void Engine::post(int walker, size_t lane) {
  Head& head = walkers_[walker].heads[lane];
  const Move& move = move_of(walker, lane);
  head.posted = true;
  head.meeting = channels_[move.channel].next[move.seat]++;
  Meeting& meeting = meeting_at(move.channel, head.meeting);
  if (meeting.first == nullptr) {
    meeting.first = &move;
    meeting.first_route = walker;
  } else {
    check_agreement(meeting, walker, move);
  }
  if (move.instruction->op != Op::send) ++meeting.workers;
  meeting.delay_ns = std::max(meeting.delay_ns, move.transfer.delay_ns);
  if (++meeting.posted < routes_.channels[move.channel].routes.size()) return;
  if (meeting.delay_ns == 0)
    open_phase(move.channel, meeting);
  else
    timers_.emplace(now_ + meeting.delay_ns, move.channel, head.meeting);
}

void Engine::open_phase(int32_t channel, Meeting& meeting) {
  do {
    ++meeting.phase;
    meeting.arrived = 0;
  } while (meeting.workers == 0 && !meeting.complete());
  for (int32_t route : routes_.channels[channel].routes) wake(route);
}

void Engine::check_agreement(const Meeting& meeting, int walker, const Move& move) const {
  const Op mine = move.instruction->op, theirs = meeting.first->instruction->op;
  const bool message =
      (mine == Op::send && theirs == Op::receive) || (mine == Op::receive && theirs == Op::send);
  if ((message || mine == theirs) && move.transfer.bytes == meeting.first->transfer.bytes) return;
  const Channel& channel = routes_.channels[move.channel];
  fail<CheckError>(
      "channel \"{}\": rank {} posts {}\n  where rank {} posts {}\n  the two are not one operation",
      channel.purpose, routes_.routes[meeting.first_route].rank.value,
      program::to_text(*meeting.first->instruction), routes_.routes[walker].rank.value,
      program::to_text(*move.instruction));
}

void Engine::fail_stuck() const {
  std::string text = fmt::format("after {} ns nobody can go on: the Program is in a deadlock", now_);
  for (size_t w = 0; w < walkers_.size(); ++w) {
    const int walker = static_cast<int>(w);
    for (size_t lane = 0; lane < walkers_[w].heads.size(); ++lane) {
      if (done(walker, lane)) continue;
      const Move& move = move_of(walker, lane);
      text += fmt::format("\n  queue {}, turn {}, at {}\n    {}", program::name_of(move.instruction->queue),
                          walkers_[w].heads[lane].turn,
                          describe(program_, routes_.routes[w], instance_of(walker, lane), move),
                          why_stuck(walker, lane));
    }
  }
  throw CheckError(text);
}

std::string Engine::why_stuck(int walker, size_t lane) const {
  const Head& head = walkers_[walker].heads[lane];
  const Move& move = move_of(walker, lane);
  if (head.posted) {
    const Channel& channel = routes_.channels[move.channel];
    std::string ranks;
    for (size_t seat = 0; seat < channel.routes.size(); ++seat)
      if (channels_[move.channel].next[seat] <= head.meeting)
        ranks +=
            (ranks.empty() ? "" : ", ") + std::to_string(routes_.routes[channel.routes[seat]].rank.value);
    return fmt::format("posted; waits for rank {}", ranks);
  }
  const program::Instance& instance = routes_.routes[walker].list->instances[instance_of(walker, lane)];
  const std::vector<int32_t>& fired = walkers_[walker].fired;
  std::string text;
  for (int32_t event : move.instruction->waits)
    if (fired[instance.first_event + event] <= head.turn)
      text += who_fires(walker, instance.first_event + event);
  for (const program::Wait& wait : instance.waits)
    if (move.opens_queue && wait.queue == move.instruction->queue &&
        fired[wait.event] < head.turn + 1 - wait.lag)
      text += who_fires(walker, wait.event);
  return "waits for" + text;
}

std::string Engine::who_fires(int walker, int32_t event) const {
  for (const program::Instance& instance : routes_.routes[walker].list->instances) {
    const program::Segment& segment = program_.segments[instance.segment];
    for (size_t i = 0; i < segment.instructions.size(); ++i)
      if (segment.instructions[i].fires && instance.first_event + *segment.instructions[i].fires == event)
        return fmt::format(" event {} ({}, micro-batch {}, instruction {})", event, segment.name,
                           instance.micro_batch, i);
  }
  return fmt::format(" event {}, which nothing fires", event);
}

}  // namespace pleat::simulate
