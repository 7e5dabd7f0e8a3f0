// SPDX-License-Identifier: Apache-2.0
// A list as the flat sequence of its instructions, for one turn: what the properties walk. Needs a
// well-formed Program.
#pragma once
#include <array>
#include <string>
#include <vector>

#include "program/program.h"
#include "verify/rows.h"

namespace pleat::verify {

using program::Area;
using program::Effect;
using program::Instance;
using program::Instruction;
using program::kAreas;
using program::kQueues;
using program::Program;
using program::Queue;
using program::RankList;
using program::Region;
using program::Segment;

/// On the item that fires an event, this many turns ago.
struct WaitOn {
  int item = 0;
  int lag = 0;
};

struct Item {
  const Instruction* instruction = nullptr;
  const std::vector<Effect>* effects = nullptr;
  int instance = 0;
  int index = 0;  // in the segment
  int queue = 0;
  int position = 0;                   // on the queue
  int first_wait = 0, last_wait = 0;  // in FlatList::waits
};

struct FlatList {
  const Program* program = nullptr;
  const RankList* list = nullptr;
  std::vector<Item> items;
  std::vector<WaitOn> waits;
  std::array<int, kQueues> on_queue{};                    // items
  std::vector<std::vector<std::vector<Effect>>> effects;  // by segment and instruction; owned for the items

  const Instance& instance(const Item& item) const { return list->instances[item.instance]; }
  const Segment& segment(const Item& item) const { return program->segments[instance(item).segment]; }
  Rows rows(const Item& item, const Region& region) const {
    const bool framed = program::is_framed(region.area);
    return rows_of(region, framed ? instance(item).bases[static_cast<int>(region.area)] : 0);
  }
  /// "stage 0, 'forward 0' of micro-batch 2, instruction 7: compute matmul ..."
  std::string describe(const Item& item) const;
};

FlatList flatten(const Program& program, const RankList& list);

/// Short: operation, first operand and label.
std::string brief(const Instruction& instruction);

}  // namespace pleat::verify
