// SPDX-License-Identifier: Apache-2.0
#include "cli/listing.h"

#include <iterator>
#include <utility>

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

Instruction placed(Instruction instruction, const Instance& instance) {
  for (Region& region : instruction.reads) shift(region, instance);
  for (program::Result& result : instruction.results) shift(result.region, instance);
  if (instruction.workspace) shift(*instruction.workspace, instance);
  for (int32_t& event : instruction.waits) event += instance.first_event;
  if (instruction.fires) *instruction.fires += instance.first_event;
  return instruction;
}

std::string waits_text(const std::vector<program::Wait>& waits) {
  std::string text;
  for (const program::Wait& wait : waits)
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

std::string heading(const program::Program& program, const Instance& instance) {
  std::string text = fmt::format("\n{}", program.segments[static_cast<size_t>(instance.segment)].name);
  if (instance.micro_batch >= 0) text += fmt::format(", micro-batch {}", instance.micro_batch);
  return text + (instance.first ? ", stores sums\n" : ", adds to sums\n");
}

}  // namespace

std::vector<Expanded> expand(const program::Program& program, base::Rank rank) {
  std::vector<Expanded> all;
  const program::RankList& list = program.list_of(rank);
  for (size_t n = 0; n < list.instances.size(); ++n) {
    const Instance& instance = list.instances[n];
    std::array<bool, program::kQueues> begun{};
    for (const Instruction& i : program.segments[static_cast<size_t>(instance.segment)].instructions) {
      Expanded& expanded = all.emplace_back(Expanded{static_cast<int32_t>(n), placed(i, instance), {}});
      if (std::exchange(begun[static_cast<size_t>(i.queue)], true)) continue;
      for (const program::Wait& wait : instance.waits)
        if (wait.queue == i.queue) expanded.waits.push_back(wait);
    }
  }
  return all;
}

std::string listing(const program::Program& program, base::Rank rank) {
  const program::RankList& list = program.list_of(rank);
  std::string text = fmt::format("rank {} of {}, stage {}, {} events\n", rank.value, program.layout.world(),
                                 list.stage, list.events);
  int32_t shown = -1;
  int64_t number = 0;
  for (const Expanded& expanded : expand(program, rank)) {
    if (std::exchange(shown, expanded.instance) != expanded.instance)
      text += heading(program, list.instances[static_cast<size_t>(expanded.instance)]);
    fmt::format_to(std::back_inserter(text), "{:6} {}{}{}\n", number++,
                   program::to_text(expanded.instruction), members(program, rank, expanded.instruction),
                   waits_text(expanded.waits));
  }
  return text;
}

}  // namespace pleat::cli
