// SPDX-License-Identifier: Apache-2.0
// well-formed: every number in the Program points at something, every region lies in its area, every
// operation has the operands it wants, and an instruction computes or communicates, never both. Here the
// segments; lists, state and ports in the other files of the name.
#include "verify/well_formed.h"

#include <algorithm>

#include "base/errors.h"
#include "verify/operands.h"
#include "verify/properties.h"

namespace pleat::verify {
namespace {

constexpr int64_t kMostRows = int64_t{1} << 20;  // of a region whose rows do not touch

bool legal_group(layout::AxisSet axes) {
  const auto touches = [&](layout::MeshKind mesh) {
    const auto& all = layout::axes_of(mesh);
    return std::any_of(all.begin(), all.end(), [&](layout::Axis axis) { return axes.has(axis); });
  };
  return !axes.empty() && !(touches(layout::MeshKind::dense) && touches(layout::MeshKind::expert));
}

class Segments {
 public:
  Segments(const Program& program, Issues& issues) : p_(program), issues_(issues) {}

  void run() {
    for (const Segment& s : p_.segments) segment(s);
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
      if (instruction.workspace && instruction.workspace->area != Area::scratch)
        bad(s, i, "its workspace is not in the scratch area");
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
    else if (!type.is_dense() && type.shape[0] > kMostRows)
      bad(s, i, "{} rows with gaps between; at most {} can be verified", type.shape[0], kMostRows);
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
      if (port_of(instruction).empty()) bad(s, i, "names no port");
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

  const Program& p_;
  Issues& issues_;
};

}  // namespace

void check_well_formed(const Program& program, Issues& issues) {
  Segments(program, issues).run();
  check_lists(program, issues);
  check_state(program, issues);
  check_ports(program, issues);
}

}  // namespace pleat::verify
