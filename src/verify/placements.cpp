// SPDX-License-Identifier: Apache-2.0
// placements: what every value is over every mesh axis, derived from state and inputs through the operations'
// facts. So a sum over ranks that is missing, done twice or over other axes shows: at the update, whose
// gradient must lie as its slot does, at a port, where nothing partial goes out, or at the operation that
// gets it.
#include "verify/placements.h"

#include <deque>
#include <map>

#include "verify/channel.h"
#include "verify/operands.h"
#include "verify/properties.h"
#include "verify/shadow.h"

namespace pleat::verify {
namespace {

using graph::Op;

using Mail = std::map<Channel, std::deque<Placed>>;  // sent, not yet received

class Walk {
 public:
  Walk(const FlatList& list, PlacementRules& rules, Mail& mail, Issues& issues)
      : list_(list), rules_(rules), mail_(mail), issues_(issues) {
    for (const program::StateSlot& slot : list.program->state)
      if (slot.stage == list.list->stage)
        area(Area::state).assign(rows_of(slot.region, 0), rules.canonical(slot.placements));
  }

  /// As far as what was sent allows. True if it went on.
  bool advance() {
    const size_t before = next_;
    while (next_ < list_.items.size() && step(list_.items[next_])) ++next_;
    return next_ != before;
  }

 private:
  Shadow<Placed>& area(Area a) { return areas_[static_cast<size_t>(a)]; }
  const layout::Layout& layout() const { return list_.program->layout; }

  bool step(const Item& item) {
    const Instruction& instruction = *item.instruction;
    std::vector<Placed> reads;
    if (instruction.op == Op::all_reduce) return reduce_in_parts(item), true;
    for (const Region& read : instruction.reads) reads.push_back(placed(item, read));
    if (instruction.op == Op::send) return mail_[channel(instruction)].push_back(reads[0]), true;
    if (instruction.op == Op::receive) return receive(item);
    if (instruction.op == Op::load) return store(item, instruction.results[0], of_port(instruction)), true;
    if (instruction.op == Op::emit) return emit(item, reads[0]), true;
    std::string problem;
    const std::vector<Placed> results = rules_.results(instruction, reads, problem);
    if (!problem.empty()) issues_.add("{}: {}", list_.describe(item), problem);
    for (size_t i = 0; i < results.size(); ++i) store(item, instruction.results[i], results[i]);
    return true;
  }

  Channel channel(const Instruction& instruction) const {
    return channel_of(layout(), list_.list->stage, instruction);
  }

  bool receive(const Item& item) {
    const Channel from = channel(*item.instruction);
    bool compiled = false;
    for (const RankList& list : list_.program->lists) compiled = compiled || list.stage == from.stages[0];
    Placed got;
    if (compiled) {
      auto& waiting = mail_[from];
      if (waiting.empty()) return false;
      got = waiting.front();
      waiting.pop_front();
    }
    store(item, item.instruction->results[0], got);
    return true;
  }

  /// A bucket holds gradients that may lie differently over other axes: each part for itself.
  void reduce_in_parts(const Item& item) {
    const Instruction& instruction = *item.instruction;
    const Rows from = list_.rows(item, instruction.reads[0]),
               to = list_.rows(item, instruction.results[0].region);
    const auto reduced = [&](const Placed& part) {
      std::string problem;
      const std::vector<Placed> results = rules_.results(instruction, {part}, problem);
      if (!problem.empty()) issues_.add("{}: {}", list_.describe(item), problem);
      return results[0];
    };
    if (from == to && instruction.reads[0].area == instruction.results[0].region.area) {
      area(instruction.reads[0].area).visit(from, [&](Placed& part) { part = reduced(part); });
    } else {
      store(item, instruction.results[0], reduced(placed(item, instruction.reads[0])));
    }
  }

  Placed of_port(const Instruction& instruction) const {
    const std::string name = port_of(instruction);
    for (const program::Port& port : list_.program->inputs)
      if (port.name == name && port.stage == list_.list->stage) return rules_.canonical(port.placements);
    return std::nullopt;
  }

  Placed placed(const Item& item, const Region& region) {
    Placed found;
    bool any = false, unknown = false, mixed = false;
    area(region.area).visit(list_.rows(item, region), [&](Placed& part) {
      unknown = unknown || !part;
      mixed = mixed || (any && part != found);
      found = part;
      any = true;
    });
    if (mixed && !unknown)
      issues_.add("{}: reads values that lie differently over the ranks as one", list_.describe(item));
    return mixed ? std::nullopt : found;
  }

  void store(const Item& item, const program::Result& result, const Placed& placed_now) {
    const Rows rows = list_.rows(item, result.region);
    const bool adds = result.mode == program::Mode::accumulate && !list_.instance(item).first;
    if ((adds || result.region.area == Area::state) && placed_now) {
      bool differs = false;
      area(result.region.area).visit(rows, [&](Placed& have) {
        differs = differs || (have && have != placed_now);
      });
      if (differs)
        issues_.add("{}: {} what lies differently over the ranks", list_.describe(item),
                    adds ? "is added to" : "updates a slot with");
    }
    if (result.region.area != Area::state) area(result.region.area).assign(rows, placed_now);
  }

  void emit(const Item& item, const Placed& value) {
    if (!value) return;
    for (layout::Axis axis : layout::axes_of(value->mesh()))
      if ((*value)[axis] == layout::Placement::partial())
        issues_.add("{}: goes out partial over {}", list_.describe(item), layout::name_of(axis));
  }

  const FlatList& list_;
  PlacementRules& rules_;
  Mail& mail_;
  Issues& issues_;
  size_t next_ = 0;
  std::array<Shadow<Placed>, kAreas> areas_;
};

}  // namespace

void check_placements(const Program& program, const FlatLists& lists, Issues& issues) {
  PlacementRules rules(program.layout);
  Mail mail;
  std::vector<Walk> walks;
  walks.reserve(lists.size());
  for (const FlatList& list : lists) walks.emplace_back(list, rules, mail, issues);
  for (bool moved = true; moved && !issues.full();) {
    moved = false;
    for (Walk& walk : walks) moved = walk.advance() || moved;
  }
}

}  // namespace pleat::verify
