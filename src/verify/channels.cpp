// SPDX-License-Identifier: Apache-2.0
// channels: on every channel the ranks do the same things in the same order, with equal dtypes and sizes; one
// queue per rank and channel keeps that order.
#include <algorithm>
#include <map>

#include "verify/channel.h"
#include "verify/properties.h"

namespace pleat::verify {
namespace {

using graph::Op;

struct Line {  // what one list does on a channel, in order
  const FlatList* list = nullptr;
  std::vector<const Item*> items;
};

const graph::OperandType& payload(const Instruction& i) {
  return i.reads.empty() ? i.results[0].region.type : i.reads[0].type;
}

void check_pair(const Channel& channel, const std::vector<Line>& lines, const Program& program,
                Issues& issues) {
  const Line *sender = nullptr, *receiver = nullptr;
  for (const Line& line : lines) (line.list->list->stage == channel.stages[0] ? sender : receiver) = &line;
  const auto compiled = [&](int32_t stage) {
    return std::any_of(program.lists.begin(), program.lists.end(),
                       [&](const RankList& list) { return list.stage == stage; });
  };
  if (!compiled(channel.stages[0]) || !compiled(channel.stages[1])) return;
  const size_t sends = sender ? sender->items.size() : 0, receives = receiver ? receiver->items.size() : 0;
  for (size_t i = 0; i < std::min(sends, receives); ++i) {
    const graph::OperandType &out = payload(*sender->items[i]->instruction),
                             &in = payload(*receiver->items[i]->instruction);
    if (out.dtype != in.dtype || out.shape != in.shape)
      return issues.add("{}: number {} is sent as {} {} ({}) and received as {} {} ({})", to_text(channel), i,
                        base::name_of(out.dtype), base::to_string(out.shape),
                        sender->list->describe(*sender->items[i]), base::name_of(in.dtype),
                        base::to_string(in.shape), receiver->list->describe(*receiver->items[i]));
  }
  if (sends == receives) return;
  const bool more_sent = sends > receives;
  const Line& longer = more_sent ? *sender : *receiver;
  issues.add("{}: {} sends and {} receives; nothing answers {}", to_text(channel), sends, receives,
             longer.list->describe(*longer.items[std::min(sends, receives)]));
}

bool alike(const Instruction& a, const Instruction& b) {
  return a.op == b.op && payload(a) == payload(b) && (a.op != Op::exchange || a.attributes == b.attributes);
}

void check_group(const Channel& channel, const std::vector<Line>& lines, const Program& program,
                 Issues& issues) {
  const Line& first = lines[0];
  for (const RankList& list : program.lists) {
    if (std::find(channel.stages.begin(), channel.stages.end(), list.stage) == channel.stages.end()) continue;
    const auto line =
        std::find_if(lines.begin(), lines.end(), [&](const Line& l) { return l.list->list == &list; });
    if (line == lines.end()) {
      issues.add("{}: stage {} takes no part in {}", to_text(channel), list.stage,
                 first.list->describe(*first.items[0]));
      continue;
    }
    const size_t common = std::min(first.items.size(), line->items.size());
    size_t i = 0;
    while (i < common && alike(*first.items[i]->instruction, *line->items[i]->instruction)) ++i;
    if (i < common)
      issues.add("{}: number {} is {} and {}", to_text(channel), i, first.list->describe(*first.items[i]),
                 line->list->describe(*line->items[i]));
    else if (first.items.size() != line->items.size())
      issues.add("{}: stage {} takes part {} times, stage {} {} times", to_text(channel),
                 first.list->list->stage, first.items.size(), list.stage, line->items.size());
  }
}

}  // namespace

Channel channel_of(const layout::Layout& layout, int32_t stage, const Instruction& instruction) {
  const program::Party& party = *instruction.party;
  Channel channel{false, {}, {stage}, party.purpose};
  if (instruction.op == Op::send || instruction.op == Op::receive) {
    channel.pair = true;
    channel.stages.push_back(stage + party.stage_offset);
    if (instruction.op == Op::receive) std::swap(channel.stages[0], channel.stages[1]);
    return channel;
  }
  int64_t members = 1;
  for (layout::Axis axis : layout::kAllAxes) {
    if (!party.axes.has(axis) || axis == layout::Axis::pp || layout.size(axis) == 1) continue;
    channel.axes.add(axis);
    members *= layout.size(axis);
  }
  if (members == layout.ranks_per_stage())  // the whole stage, whichever mesh names it
    channel.axes = layout::AxisSet{layout::Axis::tp, layout::Axis::cp, layout::Axis::dp};
  if (!party.axes.has(layout::Axis::pp)) return channel;
  channel.stages = party.stages;
  if (channel.stages.empty())
    for (int32_t s = 0; s < layout.stages(); ++s) channel.stages.push_back(s);
  return channel;
}

std::string to_text(const Channel& channel) {
  if (channel.pair)
    return fmt::format("channel \"{}\" from stage {} to {}", channel.purpose, channel.stages[0],
                       channel.stages[1]);
  return fmt::format("channel \"{}\" over {} of stages {}", channel.purpose, layout::to_string(channel.axes),
                     fmt::join(channel.stages, ","));
}

void check_channels(const Program& program, const FlatLists& lists, Issues& issues) {
  std::map<Channel, std::vector<Line>> channels;
  for (const FlatList& list : lists) {
    for (const Item& item : list.items) {
      if (!graph::is_communication(item.instruction->op)) continue;
      std::vector<Line>& lines = channels[channel_of(program.layout, list.list->stage, *item.instruction)];
      if (lines.empty() || lines.back().list != &list) lines.push_back({&list, {}});
      if (!lines.back().items.empty() && lines.back().items[0]->queue != item.queue)
        issues.add("{} shares its channel with {} on another queue", list.describe(item),
                   list.describe(*lines.back().items[0]));
      lines.back().items.push_back(&item);
    }
  }
  for (const auto& [channel, lines] : channels) {
    if (channel.pair)
      check_pair(channel, lines, program, issues);
    else
      check_group(channel, lines, program, issues);
  }
}

}  // namespace pleat::verify
