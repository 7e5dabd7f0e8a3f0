// SPDX-License-Identifier: Apache-2.0
#include "cli/listing.h"

#include <iterator>

#include "base/errors.h"
#include "run/bound.h"

namespace pleat::cli {
namespace {

using program::Instance;
using program::Instruction;
using program::Region;

void shift(Region& region, const Instance& instance) {
  if (program::is_framed(region.area)) region.offset += instance.bases[static_cast<size_t>(region.area)];
}

/// The instruction as this instance means it.
Instruction placed(Instruction instruction, const Instance& instance) {
  for (Region& region : instruction.reads) shift(region, instance);
  for (program::Result& result : instruction.results) shift(result.region, instance);
  if (instruction.workspace) shift(*instruction.workspace, instance);
  for (int32_t& event : instruction.waits) event += instance.first_event;
  if (instruction.fires) *instruction.fires += instance.first_event;
  return instruction;
}

/// The instance's own waits, which its first instruction on each queue keeps.
std::string instance_waits(const Instance& instance, program::Queue queue, bool& first_on_queue) {
  std::string text;
  if (!first_on_queue) return text;
  first_on_queue = false;
  for (const program::Wait& wait : instance.waits)
    if (wait.queue == queue)
      text += fmt::format(" {}{}{}", text.empty() ? "after " : "", wait.event,
                          wait.lag > 0 ? " of the turn before" : "");
  return text;
}

std::string members(const program::Program& program, base::Rank rank, const Instruction& instruction) {
  if (!instruction.party) return {};
  std::string text;
  for (base::Rank member : run::channel_of(program, rank, instruction).members)
    text += fmt::format("{}{}", text.empty() ? " ranks " : ",", member.value);
  return text;
}

}  // namespace

std::string listing(const program::Program& program, base::Rank rank) {
  const program::RankList& list = program.list_of(rank);
  std::string text = fmt::format("rank {} of {}, stage {}, {} events\n", rank.value, program.layout.world(),
                                 list.stage, list.events);
  int64_t number = 0;
  for (const Instance& instance : list.instances) {
    const program::Segment& segment = program.segments[static_cast<size_t>(instance.segment)];
    text += fmt::format("\n{}", segment.name);
    if (instance.micro_batch >= 0) text += fmt::format(", micro-batch {}", instance.micro_batch);
    text += instance.first ? ", stores sums\n" : ", adds to sums\n";
    std::array<bool, program::kQueues> first_on_queue;
    first_on_queue.fill(true);
    for (const Instruction& instruction : segment.instructions) {
      const std::string waits =
          instance_waits(instance, instruction.queue, first_on_queue[static_cast<size_t>(instruction.queue)]);
      fmt::format_to(std::back_inserter(text), "{:6} {}{}{}\n", number++,
                     program::to_text(placed(instruction, instance)), members(program, rank, instruction),
                     waits);
    }
  }
  return text;
}

}  // namespace pleat::cli
