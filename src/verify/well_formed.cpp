// SPDX-License-Identifier: Apache-2.0
// well-formed: every number in the Program points at something, every region lies in its area, every
// operation has the operands it wants, and an instruction computes or communicates, never both.
#include <algorithm>
#include <set>

#include "base/errors.h"
#include "verify/operands.h"
#include "verify/properties.h"

namespace pleat::verify {
namespace {

constexpr int64_t kMostItems = int64_t{1} << 24;

bool legal_group(layout::AxisSet axes) {
  const auto touches = [&](layout::MeshKind mesh) {
    const auto& all = layout::axes_of(mesh);
    return std::any_of(all.begin(), all.end(), [&](layout::Axis axis) { return axes.has(axis); });
  };
  return !axes.empty() && !(touches(layout::MeshKind::dense) && touches(layout::MeshKind::expert));
}

class WellFormed {
 public:
  WellFormed(const Program& program, Issues& issues) : p_(program), issues_(issues) {}

  void run() {
    for (size_t s = 0; s < p_.segments.size(); ++s) segment(p_.segments[s]);
    std::set<int32_t> stages;
    for (const RankList& list : p_.lists) {
      if (list.stage < 0 || list.stage >= p_.layout.stages())
        issues_.add("a list of stage {}; the layout has {}", list.stage, p_.layout.stages());
      if (!stages.insert(list.stage).second) issues_.add("two lists of stage {}", list.stage);
      this->list(list);
    }
    for (const program::StateSlot& slot : p_.state) state(slot);
    slots_apart();
    for (const program::Port& port : p_.inputs) this->port(port, graph::Op::load);
    for (const program::Port& port : p_.outputs) this->port(port, graph::Op::emit);
  }

 private:
  template <class... Arguments>
  void bad(const Segment& segment, size_t index, fmt::format_string<Arguments...> text,
           Arguments&&... arguments) {
    issues_.add("segment '{}', instruction {} ({}): {}", segment.name, index,
                brief(segment.instructions[index]), fmt::format(text, std::forward<Arguments>(arguments)...));
  }

  void segment(const Segment& s) {
    std::vector<int> fired_by(static_cast<size_t>(std::max(0, s.events)), -1);
    if (s.chunk < -1 || s.chunk >= p_.layout.chunks())
      issues_.add("segment '{}' is of chunk {}; there are {}", s.name, s.chunk, p_.layout.chunks());
    for (size_t i = 0; i < s.instructions.size(); ++i) {
      const Instruction& instruction = s.instructions[i];
      for (const Effect& effect : program::effects(instruction)) region(s, i, effect.region);
      kind(s, i, instruction);
      if (const std::string problem = operand_problem(p_.layout, instruction); !problem.empty())
        bad(s, i, "{}", problem);
      guard(s, i, instruction);
      if (!instruction.fires) continue;
      if (*instruction.fires < 0 || *instruction.fires >= s.events)
        bad(s, i, "fires event {} of {}", *instruction.fires, s.events);
      else if (fired_by[*instruction.fires] >= 0)
        bad(s, i, "fires event {}, as instruction {} does", *instruction.fires, fired_by[*instruction.fires]);
      else
        fired_by[*instruction.fires] = static_cast<int>(i);
    }
    for (size_t event = 0; event < fired_by.size(); ++event)
      if (fired_by[event] < 0) issues_.add("segment '{}': nothing fires event {}", s.name, event);
    for (size_t i = 0; i < s.instructions.size(); ++i) waits(s, i, fired_by);
  }

  void waits(const Segment& s, size_t i, const std::vector<int>& fired_by) {
    for (int32_t event : s.instructions[i].waits) {
      if (event < 0 || event >= s.events)
        bad(s, i, "waits for event {} of {}", event, s.events);
      else if (fired_by[event] < 0)
        continue;
      else if (fired_by[event] >= static_cast<int>(i))
        bad(s, i, "waits for event {} of instruction {}, which comes later", event, fired_by[event]);
      else if (s.instructions[fired_by[event]].queue == s.instructions[i].queue)
        bad(s, i, "waits for event {} of its own queue", event);
    }
  }

  void region(const Segment& s, size_t i, const Region& r) {
    const auto& type = r.type;
    const bool sound = r.offset >= 0 && type.row_stride >= 0 &&
                       std::all_of(type.shape.begin(), type.shape.end(), [](int64_t d) { return d >= 0; });
    if (!sound)
      bad(s, i, "a region with a negative number");
    else if (type.shape.dims() > 0 && type.shape[0] > 1 && type.row_stride < type.shape.row_elements())
      bad(s, i, "rows of {} elements at a stride of {}", type.shape.row_elements(), type.row_stride);
    else if (r.offset % base::size_of(type.dtype) != 0)
      bad(s, i, "{}+{} is not aligned to {}", program::name_of(r.area), r.offset, base::name_of(type.dtype));
  }

  void kind(const Segment& s, size_t i, const Instruction& instruction) {
    const bool communicates = graph::is_communication(instruction.op);
    const bool host = instruction.op == graph::Op::load || instruction.op == graph::Op::emit;
    if (instruction.queue >= Queue::count_) return bad(s, i, "no such queue");
    if (communicates) {
      if (!instruction.kernel.empty())
        bad(s, i, "communicates and has the kernel '{}': one or the other", instruction.kernel);
      if (!instruction.party) bad(s, i, "communicates with nobody");
      if (instruction.queue == Queue::compute || instruction.queue == Queue::host)
        bad(s, i, "communicates on queue {}", program::name_of(instruction.queue));
    } else if (host) {
      if (!instruction.kernel.empty())
        bad(s, i, "is of the host and has the kernel '{}'", instruction.kernel);
      if (instruction.queue != Queue::host) bad(s, i, "belongs on queue host");
      if (!instruction.attributes.has("port")) bad(s, i, "names no port");
    } else {
      if (graph::is_view(instruction.op)) bad(s, i, "is a view: it has no instruction");
      if (instruction.kernel.empty()) bad(s, i, "computes without a kernel");
      if (instruction.queue != Queue::compute)
        bad(s, i, "computes on queue {}", program::name_of(instruction.queue));
    }
    if (instruction.party) party(s, i, instruction);
  }

  void party(const Segment& s, size_t i, const Instruction& instruction) {
    const program::Party& party = *instruction.party;
    const bool pair = instruction.op == graph::Op::send || instruction.op == graph::Op::receive;
    if (!legal_group(party.axes)) bad(s, i, "a group over {}", layout::to_string(party.axes));
    if (pair != (party.stage_offset != 0))
      bad(s, i, "stage offset {} of a {}", party.stage_offset, graph::name_of(instruction.op));
    if (pair && party.axes != layout::AxisSet{layout::Axis::pp})
      bad(s, i, "goes over {}, not over pp", layout::to_string(party.axes));
    for (size_t n = 0; n < party.stages.size(); ++n)
      if (party.stages[n] < 0 || party.stages[n] >= p_.layout.stages() ||
          (n > 0 && party.stages[n] <= party.stages[n - 1]))
        bad(s, i, "its stages are no increasing numbers below {}", p_.layout.stages());
    if (!party.stages.empty() && !party.axes.has(layout::Axis::pp))
      bad(s, i, "names stages but does not go over pp");
  }

  void guard(const Segment& s, size_t i, const Instruction& instruction) {
    if (!instruction.guard) return;
    if (*instruction.guard < 0 || *instruction.guard >= static_cast<int>(instruction.reads.size()))
      return bad(s, i, "guard {} of {} reads", *instruction.guard, instruction.reads.size());
    const auto& type = instruction.reads[*instruction.guard].type;
    if (type != graph::OperandType::dense(base::DType::i32, {1}))
      bad(s, i, "guard {} is not one i32", *instruction.guard);
  }

  void list(const RankList& list) {
    std::vector<std::pair<int64_t, int64_t>> events;
    int64_t total = 0, items = 0;
    for (size_t n = 0; n < list.instances.size(); ++n) {
      const Instance& instance = list.instances[n];
      if (instance.segment < 0 || instance.segment >= static_cast<int>(p_.segments.size())) {
        issues_.add("stage {}, instance {}: segment {} of {}", list.stage, n, instance.segment,
                    p_.segments.size());
        continue;
      }
      const Segment& segment = p_.segments[instance.segment];
      this->instance(list, n, segment);
      total += segment.events;
      items += static_cast<int64_t>(segment.instructions.size());
      events.emplace_back(instance.first_event, instance.first_event + segment.events);
    }
    if (items > kMostItems)
      issues_.add("stage {}: {} instructions; at most {} can be verified", list.stage, items, kMostItems);
    std::sort(events.begin(), events.end());
    int64_t end = 0;
    bool apart = list.events >= 0 && total == list.events;
    for (const auto& [first, last] : events)
      if (first != last) apart = apart && first >= end && first >= 0, end = last;
    if (!apart || end > list.events)
      issues_.add("stage {}: the events of its instances overlap or are not {} in all", list.stage,
                  list.events);
    else
      for (size_t n = 0; n < list.instances.size(); ++n) instance_waits(list, n);
  }

  void instance(const RankList& list, size_t n, const Segment& segment) {
    const Instance& instance = list.instances[n];
    const auto complain = [&](const std::string& text) {
      issues_.add("stage {}, instance {} ('{}'): {}", list.stage, n, segment.name, text);
    };
    if (segment.chunk >= 0 && p_.layout.stage_of(base::Chunk(segment.chunk)).value != list.stage)
      complain(fmt::format("chunk {} is not of this stage", segment.chunk));
    if (instance.micro_batch < -1 || instance.micro_batch >= p_.micro_batches)
      complain(fmt::format("micro-batch {} of {}", instance.micro_batch, p_.micro_batches));
    if (instance.slice < 0) complain(fmt::format("slice {}", instance.slice));
    for (int area = 0; area < kAreas; ++area) {
      const int64_t base = instance.bases[area];
      if (base < 0 || base % program::kAlignment != 0)
        complain(fmt::format("base {} in {} is no multiple of {}", base, program::kAreaNames[area],
                             program::kAlignment));
      if (base != 0 && !program::is_framed(static_cast<Area>(area)))
        complain(fmt::format("a base in {}, which has no frames", program::kAreaNames[area]));
    }
    for (const Instruction& instruction : segment.instructions) {
      if (instruction.party) peer(list, instruction, complain);
      for (const Effect& effect : program::effects(instruction)) {
        const int area = static_cast<int>(effect.region.area);
        const int64_t base = program::is_framed(effect.region.area) ? instance.bases[area] : 0;
        if (rows_of(effect.region, base).end() > list.area_bytes[area])
          complain(fmt::format("{} reaches {}+{}, the area has {} bytes", brief(instruction),
                               program::kAreaNames[area], rows_of(effect.region, base).end(),
                               list.area_bytes[area]));
      }
    }
  }

  template <class Complain>
  void peer(const RankList& list, const Instruction& instruction, const Complain& complain) {
    const program::Party& party = *instruction.party;
    const int64_t stage = list.stage + party.stage_offset;
    if (stage < 0 || stage >= p_.layout.stages())
      complain(fmt::format("{} with stage {} of {}", brief(instruction), stage, p_.layout.stages()));
    if (!party.stages.empty() &&
        std::find(party.stages.begin(), party.stages.end(), list.stage) == party.stages.end())
      complain(fmt::format("{} in a group that is not of this stage", brief(instruction)));
  }

  void instance_waits(const RankList& list, size_t n) {
    const Instance& instance = list.instances[n];
    for (const program::Wait& wait : instance.waits) {
      const auto complain = [&](const std::string& text) {
        issues_.add("stage {}, instance {} ('{}'): a wait of queue {} for event {} {}", list.stage, n,
                    p_.segments[instance.segment].name, program::name_of(wait.queue), wait.event, text);
      };
      if (wait.lag < 0 || wait.lag > 1) complain(fmt::format("with lag {}: 0 or 1", wait.lag));
      const auto& instructions = p_.segments[instance.segment].instructions;
      if (std::none_of(instructions.begin(), instructions.end(),
                       [&](const Instruction& i) { return i.queue == wait.queue; }))
        complain("which has nothing to do here");
      const auto firing = firing_of(list, wait.event);
      if (!firing.instruction)
        complain("that nothing fires");
      else if (firing.instruction->queue == wait.queue)
        complain("of its own queue");
      else if (wait.lag == 0 && firing.instance >= n)
        complain("of this turn that comes later");
    }
  }

  struct Firing {
    size_t instance = 0;
    const Instruction* instruction = nullptr;
  };
  Firing firing_of(const RankList& list, int32_t event) {
    if (firing_list_ != &list) {
      firing_list_ = &list;
      firing_.assign(static_cast<size_t>(list.events), {});
      for (size_t n = 0; n < list.instances.size(); ++n)
        for (const Instruction& instruction : p_.segments[list.instances[n].segment].instructions)
          if (instruction.fires && *instruction.fires >= 0 &&
              *instruction.fires < p_.segments[list.instances[n].segment].events)
            firing_[static_cast<size_t>(list.instances[n].first_event + *instruction.fires)] = {n,
                                                                                                &instruction};
    }
    return event >= 0 && event < list.events ? firing_[static_cast<size_t>(event)] : Firing{};
  }

  const RankList* list_of(int32_t stage) const {
    for (const RankList& list : p_.lists)
      if (list.stage == stage) return &list;
    return nullptr;
  }

  void state(const program::StateSlot& slot) {
    const auto complain = [&](const std::string& text) {
      issues_.add("state '{}' ({}): {}", slot.name, program::kRoleNames[static_cast<size_t>(slot.role)],
                  text);
    };
    const RankList* list = list_of(slot.stage);
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

  /// A port and the host instructions that name it speak of the same bytes.
  void port(const program::Port& port, graph::Op op) {
    const RankList* list = list_of(port.stage);
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
        if (i.op != op || !i.attributes.has("port") || i.attributes.word("port") != port.name) continue;
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
  const RankList* firing_list_ = nullptr;
  std::vector<Firing> firing_;
};

}  // namespace

void check_well_formed(const Program& program, Issues& issues) {
  WellFormed(program, issues).run();
}

}  // namespace pleat::verify
