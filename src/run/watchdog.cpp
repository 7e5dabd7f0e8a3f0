// SPDX-License-Identifier: Apache-2.0
// Where a rank stands that gets nowhere, and whom it waits for.
#include <algorithm>

#include "base/errors.h"
#include "run/executor.h"
#include "run/place.h"

namespace pleat::run {

std::string Rank::Implementation::describe(const Item& item) const {
  return place_of(program, rank, program.list_of(rank).instances[item.instance], item.index);
}

/// What the head of a lane waits for: other ranks, or an instruction of this one.
std::string Rank::Implementation::what_for(const Lane& lane) const {
  if (lane.posted) {
    std::string text;
    for (base::Rank other : communicator.waiting_for(lane.ticket))
      text += fmt::format("{}{}", text.empty() ? "rank " : ", ", other.value);
    return text.empty() ? "its own part of it" : text;
  }
  for (const program::Wait& wait : head(lane).waits) {
    if (fired[wait.event] >= lane.turn + 1 - wait.lag) continue;
    const auto firing = std::find_if(bound.items.begin(), bound.items.end(),
                                     [&](const Item& item) { return item.fires == wait.event; });
    if (firing == bound.items.end()) return fmt::format("event {}, which nothing fires", wait.event);
    const auto& segment = program.segments[program.list_of(rank).instances[firing->instance].segment];
    return fmt::format("{} of {}, micro-batch {}, instruction {}{}", graph::name_of(firing->instruction->op),
                       segment.name, firing->micro_batch, firing->index,
                       wait.lag > 0 ? ", of the step before" : "");
  }
  return "nothing";
}

void Rank::Implementation::fail_stalled(double last_progress) const {
  std::string text =
      fmt::format("rank {} stalled: nothing moved for {:.1f} s", rank.value, now() - last_progress);
  for (const Lane& lane : lanes) {
    if (lane.turn == steps) continue;
    text += fmt::format("\n  queue {}, turn {}: {}\n    waits for {}", lane.name, lane.turn,
                        describe(head(lane)), what_for(lane));
  }
  throw base::CommError(text);
}

/// A head that waits for others, or any that is not done.
const Item* Rank::Implementation::waiting_item() const {
  const Item* open = nullptr;
  for (const Lane& lane : lanes) {
    if (lane.turn == steps) continue;
    if (lane.posted) return &head(lane);
    open = &head(lane);
  }
  return open;
}

}  // namespace pleat::run
