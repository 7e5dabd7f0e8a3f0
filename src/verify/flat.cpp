// SPDX-License-Identifier: Apache-2.0
#include "verify/flat.h"

#include "base/errors.h"

namespace pleat::verify {
namespace {

/// Which item fires each event of the list.
std::vector<int> firing_items(const FlatList& flat) {
  std::vector<int> item_of(static_cast<size_t>(flat.list->events), -1);
  for (size_t i = 0; i < flat.items.size(); ++i)
    if (const auto& fires = flat.items[i].instruction->fires)
      item_of[flat.instance(flat.items[i]).first_event + *fires] = static_cast<int>(i);
  return item_of;
}

void add_waits(FlatList& flat, Item& item, bool first_on_queue, const std::vector<int>& item_of) {
  const Instance& instance = flat.instance(item);
  item.first_wait = static_cast<int>(flat.waits.size());
  for (int32_t event : item.instruction->waits)
    flat.waits.push_back({item_of[instance.first_event + event], 0});
  if (first_on_queue)
    for (const program::Wait& wait : instance.waits)
      if (static_cast<int>(wait.queue) == item.queue)
        flat.waits.push_back({item_of[static_cast<size_t>(wait.event)], wait.lag});
  item.last_wait = static_cast<int>(flat.waits.size());
}

}  // namespace

FlatList flatten(const Program& program, const RankList& list) {
  FlatList flat;
  flat.program = &program;
  flat.list = &list;
  flat.effects.resize(program.segments.size());
  for (size_t n = 0; n < list.instances.size(); ++n) {
    const auto s = static_cast<size_t>(list.instances[n].segment);
    const Segment& segment = program.segments[s];
    if (flat.effects[s].empty())
      for (const Instruction& instruction : segment.instructions)
        flat.effects[s].push_back(program::effects(instruction));
    for (size_t i = 0; i < segment.instructions.size(); ++i) {
      const int queue = static_cast<int>(segment.instructions[i].queue);
      flat.items.push_back({&segment.instructions[i], &flat.effects[s][i], static_cast<int>(n),
                            static_cast<int>(i), queue, flat.on_queue[queue]++, 0, 0});
    }
  }
  const std::vector<int> item_of = firing_items(flat);
  std::array<int, kQueues> seen_instance{};
  seen_instance.fill(-1);
  for (Item& item : flat.items) {
    add_waits(flat, item, seen_instance[item.queue] != item.instance, item_of);
    seen_instance[item.queue] = item.instance;
  }
  return flat;
}

std::string brief(const Instruction& instruction) {
  std::string text(graph::name_of(instruction.op));
  if (!instruction.label.empty()) text += fmt::format(" \"{}\"", instruction.label);
  return text;
}

std::string FlatList::describe(const Item& item) const {
  const Instance& i = instance(item);
  std::string text = fmt::format("stage {}, '{}'", list->stage, segment(item).name);
  if (i.micro_batch >= 0) text += fmt::format(" of micro-batch {}", i.micro_batch);
  if (i.slice > 0) text += fmt::format(" slice {}", i.slice);
  return text + fmt::format(", instruction {}: {}", item.index, brief(*item.instruction));
}

}  // namespace pleat::verify
