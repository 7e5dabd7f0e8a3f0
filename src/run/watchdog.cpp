// SPDX-License-Identifier: Apache-2.0
// Where a rank stands, in words: of an instruction that failed, and of one that waits for ever.
#include <algorithm>

#include "base/errors.h"
#include "run/executor.h"

namespace pleat::run {

std::string Rank::Implementation::describe(const Item& item) const {
  const auto& instance = program.list_of(rank).instances[item.instance];
  return fmt::format("rank {}, {}, micro-batch {}, instruction {}: {}", rank.value,
                     program.segments[instance.segment].name, item.micro_batch, item.index,
                     program::to_text(*item.instruction));
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

void Rank::Implementation::check_stall(double last_progress) const {
  std::string text =
      fmt::format("rank {} stalled: nothing moved for {:.1f} s", rank.value, now() - last_progress);
  for (const Lane& lane : lanes) {
    if (lane.turn == steps) continue;
    text += fmt::format("\n  queue {}, turn {}: {}\n    waits for {}", lane.name, lane.turn,
                        describe(head(lane)), what_for(lane));
  }
  throw base::CommError(text);
}

void Rank::Implementation::fail_with(const Item& item, const std::exception& error) const {
  const std::string text = fmt::format("{}\n  at {}", error.what(), describe(item));
  if (dynamic_cast<const base::CommError*>(&error) != nullptr) throw base::CommError(text);
  if (dynamic_cast<const base::DataError*>(&error) != nullptr) throw base::DataError(text);
  if (dynamic_cast<const base::JobError*>(&error) != nullptr) throw base::JobError(text);
  throw base::CheckError(text);
}

}  // namespace pleat::run
