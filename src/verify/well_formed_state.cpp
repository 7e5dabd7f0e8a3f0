// SPDX-License-Identifier: Apache-2.0
// well-formed: the slots of the state section, and the ports with the host instructions that name them.
#include <algorithm>
#include <set>

#include "base/errors.h"
#include "verify/flat.h"
#include "verify/operands.h"
#include "verify/well_formed.h"

namespace pleat::verify {
namespace {

/// Null if the stage was not compiled.
const RankList* list_of(const Program& program, int32_t stage) {
  for (const RankList& list : program.lists)
    if (list.stage == stage) return &list;
  return nullptr;
}

class State {
 public:
  State(const Program& program, Issues& issues) : p_(program), issues_(issues) {}

  void run() {
    for (const program::StateSlot& slot : p_.state) state(slot);
    slots_apart();
  }

 private:
  void state(const program::StateSlot& slot) {
    const auto complain = [&](const std::string& text) {
      issues_.add("state '{}' ({}): {}", slot.name, program::kRoleNames[static_cast<size_t>(slot.role)],
                  text);
    };
    const RankList* list = list_of(p_, slot.stage);
    if (!list) return complain(fmt::format("stage {} has no list", slot.stage));
    if (slot.region.area != Area::state) complain("lies outside the state area");
    if (slot.region.offset < 0 || slot.region.end() > list->area_bytes[static_cast<int>(Area::state)])
      complain("reaches past the state area");
    if (!slot.region.type.is_dense()) complain("is not dense");
    if (std::find(slot.holders.begin(), slot.holders.end(), slot.stage) == slot.holders.end() ||
        !std::is_sorted(slot.holders.begin(), slot.holders.end()))
      complain("its holders are not in order or miss its own stage");
    if (!slot.holders.empty() && (slot.holders.front() < 0 || slot.holders.back() >= p_.layout.stages()))
      complain("a holder is no stage");
    for (layout::Axis axis : layout::axes_of(slot.placements.mesh())) {
      const layout::Placement placement = slot.placements[axis];
      using Kind = layout::Placement::Kind;
      if (placement.kind != Kind::replicated && placement.kind != Kind::sharded)
        return complain("is neither replicated nor sharded");
      if (placement.kind == Kind::sharded && (placement.dim < 0 || placement.dim >= slot.global.dims()))
        return complain("is sharded over a dim that it has not");
    }
    try {
      if (p_.layout.local_shape(slot.global, slot.placements) != slot.region.type.shape)
        complain("its region is not its part of the global shape");
    } catch (const base::JobError& error) {
      complain(error.what());
    }
  }

  /// No two slots of a stage share bytes or name and role.
  void slots_apart() {
    std::vector<const program::StateSlot*> slots;
    for (const program::StateSlot& slot : p_.state) slots.push_back(&slot);
    std::sort(slots.begin(), slots.end(), [](auto* a, auto* b) {
      return std::tie(a->stage, a->region.offset) < std::tie(b->stage, b->region.offset);
    });
    for (size_t i = 1; i < slots.size(); ++i)
      if (slots[i]->stage == slots[i - 1]->stage && slots[i]->region.offset < slots[i - 1]->region.end())
        issues_.add("state '{}' and '{}' of stage {} share bytes", slots[i - 1]->name, slots[i]->name,
                    slots[i]->stage);
    std::set<std::tuple<int32_t, std::string, program::Role>> names;
    for (const auto* slot : slots)
      if (!names.emplace(slot->stage, slot->name, slot->role).second)
        issues_.add("two slots of stage {} for '{}'", slot->stage, slot->name);
  }

  const Program& p_;
  Issues& issues_;
};

class Ports {
 public:
  Ports(const Program& program, Issues& issues) : p_(program), issues_(issues) {}

  void run() {
    for (const program::Port& port : p_.inputs) this->port(port, graph::Op::load);
    for (const program::Port& port : p_.outputs) this->port(port, graph::Op::emit);
  }

 private:
  /// A port and the host instructions that name it speak of the same bytes.
  void port(const program::Port& port, graph::Op op) {
    const RankList* list = list_of(p_, port.stage);
    if (!list) return issues_.add("port '{}': stage {} has no list", port.name, port.stage);
    const bool framed = program::is_framed(port.region.area);
    if (!framed && std::any_of(port.bases.begin(), port.bases.end(), [](int64_t base) { return base != 0; }))
      issues_.add("port '{}' has bases, its area has no frames", port.name);
    for (int64_t base : port.bases)
      if (base < 0 || base + port.region.end() > list->area_bytes[static_cast<int>(port.region.area)])
        issues_.add("port '{}' reaches past area {}", port.name, program::name_of(port.region.area));
    int found = 0;
    for (const Instance& instance : list->instances) {
      if (instance.segment < 0 || instance.segment >= static_cast<int>(p_.segments.size())) continue;
      for (const Instruction& i : p_.segments[instance.segment].instructions) {
        if (i.op != op || port_of(i) != port.name) continue;
        const Region* region = op == graph::Op::load ? (i.results.empty() ? nullptr : &i.results[0].region)
                                                     : (i.reads.empty() ? nullptr : &i.reads[0]);
        if (region && *region != port.region)
          issues_.add("port '{}' and the {} that names it speak of different regions", port.name,
                      graph::name_of(op));
        if (op == graph::Op::load && framed && found < static_cast<int>(port.bases.size()) &&
            port.bases[found] != instance.bases[static_cast<int>(port.region.area)])
          issues_.add("port '{}': base {} of micro-batch {} is not its frame's {}", port.name,
                      port.bases[found], found, instance.bases[static_cast<int>(port.region.area)]);
        ++found;
      }
    }
    if (found == 0)
      issues_.add("port '{}' of stage {}: no {} names it", port.name, port.stage, graph::name_of(op));
    if (op == graph::Op::load && framed && found != static_cast<int>(port.bases.size()))
      issues_.add("port '{}' has {} bases and is loaded {} times", port.name, port.bases.size(), found);
  }

  const Program& p_;
  Issues& issues_;
};

}  // namespace

void check_state(const Program& program, Issues& issues) {
  State(program, issues).run();
}

void check_ports(const Program& program, Issues& issues) {
  Ports(program, issues).run();
}

}  // namespace pleat::verify
