// SPDX-License-Identifier: Apache-2.0
// contributions: nothing is left out and nothing counts twice. Forwards and backwards by chunk and
// micro-batch, sums over all micro-batches, holders of a tied parameter, tensors in the norm, slots that are
// updated.
#include <algorithm>
#include <map>

#include "verify/properties.h"
#include "verify/shadow.h"

namespace pleat::verify {
namespace {

using graph::Op;
using program::Mode;
using program::Phase;
using program::Role;
using program::StateSlot;

/// Chunk, micro-batch, slice -> times.
using Items = std::map<std::tuple<int32_t, int32_t, int32_t>, int>;

Items items_of(Phase phase, const Program& program, const FlatLists& lists) {
  Items items;
  for (const FlatList& list : lists)
    for (const Instance& instance : list.list->instances) {
      const Segment& segment = program.segments[static_cast<size_t>(instance.segment)];
      if (segment.phase == phase) ++items[{segment.chunk, instance.micro_batch, instance.slice}];
    }
  return items;
}

/// Every chunk of the stages that have lists does every item once.
void check_items(Phase phase, const Items& items, const Program& program, const FlatLists& lists,
                 Issues& issues) {
  int64_t slices = 0;
  for (const auto& [item, times] : items) {
    const auto& [chunk, micro_batch, slice] = item;
    slices = std::max<int64_t>(slices, slice + 1);
    if (chunk < 0 || micro_batch < 0)
      issues.add("a {} of no chunk or no micro-batch", program::name_of(phase));
    if (times != 1)
      issues.add("the {} of chunk {} for micro-batch {}, slice {} happens {} times, not once",
                 program::name_of(phase), chunk, micro_batch, slice, times);
  }
  const int64_t chunks = static_cast<int64_t>(lists.size()) * program.layout.vpp();
  const int64_t wanted = chunks * program.micro_batches * slices;
  if (static_cast<int64_t>(items.size()) != wanted)
    issues.add("{} chunks, {} micro-batches and {} slices want {} times a {}; there are {} different ones",
               chunks, program.micro_batches, slices, wanted, program::name_of(phase), items.size());
}

struct Sum {
  int32_t micro_batches = 0;  // added so far
  bool joined = false;        // over the holders
};

class Gradients {
 public:
  Gradients(const FlatList& list, Issues& issues) : list_(list), issues_(issues) {
    for (const StateSlot& slot : list.program->state)
      if (slot.stage == list.list->stage) slots_.push_back(&slot);
    for (const Item& item : list.items) find_update(item);
  }

  /// Returns the masters' sums of squares as byte ranges in the vector that clip reads.
  std::vector<std::pair<int64_t, int64_t>> run() {
    for (const Item& item : list_.items) visit(item);
    if (!parameters_.empty()) slots_updated(), counted();
    return places();
  }

 private:
  struct Parameter {
    const StateSlot* slot = nullptr;
    Rows gradient;
    int counted = 0;  // times in the norm
  };

  const StateSlot* slot_at(const Region& region) const {
    for (const StateSlot* slot : slots_)
      if (region.area == Area::state && region.offset >= slot->region.offset &&
          region.end() <= slot->region.end())
        return slot;
    return nullptr;
  }

  /// An instruction that updates a master reads its gradient.
  void find_update(const Item& item) {
    const StateSlot* master = nullptr;
    for (const program::Result& result : item.instruction->results) {
      if (result.mode != Mode::update || result.region.area != Area::state) continue;
      const StateSlot* slot = slot_at(result.region);
      if (!slot)
        issues_.add("{}: updates bytes of no slot", list_.describe(item));
      else if (slot->role == Role::master)
        master = slot;
      else if (master && slot->name != master->name)
        issues_.add("{}: updates '{}' and a moment of '{}'", list_.describe(item), master->name, slot->name);
      if (slot) updated_[slot] += result.region.type.bytes();
    }
    if (!master) return;
    for (const Region& read : item.instruction->reads)
      if (read.area == Area::gradient) parameters_.push_back({master, list_.rows(item, read), 0});
  }

  void visit(const Item& item) {
    const Instruction& i = *item.instruction;
    if (graph::is_communication(i.op) && i.party && i.party->axes.has(layout::Axis::pp) &&
        i.op == Op::all_reduce)
      return join(item);
    for (const Region& read : i.reads) {
      if (read.area != Area::gradient) continue;
      if (i.op == Op::sum_squares) whole(item, read, "counts in the norm"), count(item, read);
      if (updates_master(i)) whole(item, read, "updates with");
      if (i.op == Op::emit) whole(item, read, "gives out");
    }
    for (const program::Result& result : i.results) {
      if (result.region.area != Area::gradient) continue;
      const Rows rows = list_.rows(item, result.region);
      if (result.mode == Mode::write || (result.mode == Mode::accumulate && list_.instance(item).first)) {
        sums_.assign(rows, {result.mode == Mode::write ? list_.program->micro_batches : 1, false});
      } else if (result.mode == Mode::accumulate) {
        sums_.visit(rows, [](Sum& sum) { ++sum.micro_batches; });
      }
    }
  }

  bool updates_master(const Instruction& i) const {
    return std::any_of(i.results.begin(), i.results.end(), [&](const program::Result& r) {
      const StateSlot* slot = slot_at(r.region);
      return r.mode == Mode::update && slot && slot->role == Role::master;
    });
  }

  void join(const Item& item) {
    const Region& read = item.instruction->reads[0];
    if (read.area != Area::gradient) return;
    sums_.visit(list_.rows(item, read), [&](Sum& sum) {
      if (sum.joined) issues_.add("{}: joins the holders a second time", list_.describe(item));
      sum.joined = true;
    });
    for (const Parameter& p : parameters_)
      if (p.gradient == list_.rows(item, read) && p.slot->holders != stages_of(item))
        issues_.add("{}: joins stages {}, '{}' is held by {}", list_.describe(item),
                    fmt::join(stages_of(item), ","), p.slot->name, fmt::join(p.slot->holders, ","));
  }

  std::vector<int32_t> stages_of(const Item& item) const {
    std::vector<int32_t> stages = item.instruction->party->stages;
    for (int32_t s = 0; stages.empty() && s < list_.program->layout.stages(); ++s) stages.push_back(s);
    return stages;
  }

  void whole(const Item& item, const Region& read, std::string_view verb) {
    const Rows rows = list_.rows(item, read);
    bool tied = false, known = false;
    for (const Parameter& p : parameters_) {
      if (p.gradient != rows) continue;
      known = true;
      tied = p.slot->holders.size() > 1;
    }
    int32_t least = list_.program->micro_batches;
    bool joined = true, any = false;
    sums_.visit(rows, [&](Sum& sum) {
      least = std::min(least, sum.micro_batches), joined = joined && sum.joined, any = any || sum.joined;
    });
    if (least != list_.program->micro_batches)
      issues_.add("{}: {} a gradient of {} of {} micro-batches", list_.describe(item), verb, least,
                  list_.program->micro_batches);
    if (known && tied && !joined)
      issues_.add("{}: {} a gradient that is not joined over its holders", list_.describe(item), verb);
    if (known && !tied && any)
      issues_.add("{}: {} a gradient joined over stages that do not hold it", list_.describe(item), verb);
  }

  void count(const Item& item, const Region& read) {
    bool found = false;
    for (Parameter& p : parameters_)
      if (p.gradient == list_.rows(item, read)) ++p.counted, found = true;
    if (!found) issues_.add("{}: counts what updates nothing", list_.describe(item));
  }

  void slots_updated() {
    for (const StateSlot* slot : slots_)
      if (updated_[slot] != slot->region.type.bytes())
        issues_.add("stage {}: {} of {} bytes of '{}' ({}) are updated", list_.list->stage, updated_[slot],
                    slot->region.type.bytes(), slot->name,
                    program::kRoleNames[static_cast<size_t>(slot->role)]);
  }

  /// The lowest holder counts; nobody else does.
  void counted() {
    const bool norm = std::any_of(list_.items.begin(), list_.items.end(),
                                  [](const Item& i) { return i.instruction->op == Op::clip; });
    for (const Parameter& p : parameters_) {
      const int wanted = norm && p.slot->holders.front() == list_.list->stage ? 1 : 0;
      if (p.counted != wanted)
        issues_.add("stage {}: the gradient of '{}' counts {} times in the norm, not {}", list_.list->stage,
                    p.slot->name, p.counted, wanted);
    }
  }

  std::vector<std::pair<int64_t, int64_t>> places() {
    const Region* squares = nullptr;
    for (const Item& item : list_.items)
      if (item.instruction->op == Op::clip) squares = &item.instruction->reads[0];
    std::vector<std::pair<int64_t, int64_t>> places;
    if (!squares) return places;
    for (const Item& item : list_.items) {
      if (item.instruction->op != Op::sum_squares) continue;
      const Region* result = &item.instruction->results[0].region;
      for (const Item& gather : list_.items)
        if (gather.instruction->op == Op::all_gather && gather.instruction->reads[0] == *result)
          result = &gather.instruction->results[0].region;
      if (result->area != squares->area || result->offset < squares->offset || result->end() > squares->end())
        issues_.add("{}: its sum does not come to the norm", list_.describe(item));
      else
        places.emplace_back(result->offset - squares->offset, result->end() - squares->offset);
    }
    return places;
  }

  const FlatList& list_;
  Issues& issues_;
  std::vector<const StateSlot*> slots_;
  std::vector<Parameter> parameters_;
  std::map<const StateSlot*, int64_t> updated_;  // bytes
  Shadow<Sum> sums_;
};

}  // namespace

void check_contributions(const Program& program, const FlatLists& lists, Issues& issues) {
  for (Phase phase : {Phase::forward, Phase::backward, Phase::weight})
    if (const Items items = items_of(phase, program, lists); !items.empty())
      check_items(phase, items, program, lists, issues);
  std::vector<std::pair<int64_t, int64_t>> places;
  for (const FlatList& list : lists)
    for (const auto& place : Gradients(list, issues).run()) places.push_back(place);
  std::sort(places.begin(), places.end());
  for (size_t i = 1; i < places.size(); ++i)
    if (places[i].first < places[i - 1].second)
      issues.add("two tensors have one place in the vector of the norm, at byte {}", places[i].first);
}

}  // namespace pleat::verify
