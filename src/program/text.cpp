// SPDX-License-Identifier: Apache-2.0
// A Program as text: a header, state slots, ports, segments once with a line per instruction, then per list
// its instances on one line. text_parse.cpp is the exact inverse. What has its default is left out.
//
//   region       area+offset:dtype:shape[/row stride][#buffer]          frame+4096:f32:1024x128#17
//   instruction  queue operation [{attributes}] reads -> [accumulate|update] results [kernel ..] [workspace
//   ..]
//                [guard ..] [waits ..] [fires ..] [over axes "purpose" [stages ..] [offset ..]] [label ..]
//   instance     segment [mb=..] [slice=..] [first] [area=base].. [event=first event]
//   [wait=queue:event[~lag]]..
#include "base/errors.h"
#include "program/program.h"

namespace pleat::program {
namespace {

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      result += '\\', result += c;
    else if (byte < 0x20 || byte == 0x7f)
      result += fmt::format("\\x{:02x}", byte);
    else
      result += c;
  }
  return result + '"';
}

template <class Numbers>
std::string numbers(const Numbers& values) {
  return values.empty() ? "none" : fmt::format("{}", fmt::join(values, ","));
}

std::string type_text(const graph::OperandType& type) {
  std::string text = fmt::format("{}:{}", base::name_of(type.dtype), base::to_string(type.shape));
  if (type.row_stride != type.shape.row_elements()) text += fmt::format("/{}", type.row_stride);
  return text;
}

std::string region_text(const Region& region) {
  std::string text = fmt::format("{}+{}:{}", name_of(region.area), region.offset, type_text(region.type));
  if (region.buffer != -1) text += fmt::format("#{}", region.buffer);
  return text;
}

std::string number_text(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";  // else it would read back as an integer
  return text;
}

std::string attributes_text(const graph::Attributes& attributes) {
  std::string text;
  for (const auto& [name, value] : attributes) {
    text += fmt::format("{}{}=", text.empty() ? "{" : ", ", name);
    if (const auto* integer = std::get_if<int64_t>(&value))
      text += fmt::format("{}", *integer);
    else if (const auto* number = std::get_if<double>(&value))
      text += number_text(*number);
    else
      text += quoted(std::get<std::string>(value));
  }
  return text.empty() ? text : text + "}";
}

std::string placements_text(const layout::Placements& placements) {
  std::string text = placements.mesh() == layout::MeshKind::dense ? "dense" : "expert";
  for (layout::Axis axis : layout::kAllAxes)
    if (placements[axis] != layout::Placement::replicated())
      text += fmt::format(" {}:{}", layout::name_of(axis), layout::to_string(placements[axis]));
  return text;
}

std::string party_text(const Party& party) {
  std::string text = fmt::format(" over {} {}", layout::to_string(party.axes), quoted(party.purpose));
  if (!party.stages.empty()) text += " stages " + numbers(party.stages);
  if (party.stage_offset != 0) text += fmt::format(" offset {}", party.stage_offset);
  return text;
}

std::string header_text(const Program& p) {
  using layout::Axis;
  std::string text = fmt::format("format: {}\nprogram: {}\nlayout:", kFormat, quoted(p.name));
  for (Axis axis : {Axis::tp, Axis::cp, Axis::dp, Axis::pp, Axis::ep, Axis::etp})
    text += fmt::format(" {} {}", layout::name_of(axis), p.layout.size(axis));
  text += fmt::format(" vpp {}\nthreads: {}\nmicro_batches: {}\ntokens: {}\nallowance: {}\nmemory:",
                      p.layout.vpp(), p.threads, p.micro_batches, p.tokens, p.allowance);
  for (int area = 0; area < kAreas; ++area)
    text += fmt::format(" {} {}", kAreaNames[area], kMemoryNames[static_cast<size_t>(p.memory[area])]);
  return text + "\n";
}

std::string slot_text(const StateSlot& slot) {
  return fmt::format("state {} {} stage {} holders {} global {} {} at {}\n",
                     kRoleNames[static_cast<size_t>(slot.role)], quoted(slot.name), slot.stage,
                     numbers(slot.holders), base::to_string(slot.global), placements_text(slot.placements),
                     region_text(slot.region));
}

std::string port_text(std::string_view direction, const Port& port) {
  return fmt::format("{} {} stage {} {} at {} bases {}\n", direction, quoted(port.name), port.stage,
                     placements_text(port.placements), region_text(port.region), numbers(port.bases));
}

std::string instance_text(const Instance& instance) {
  std::string text = fmt::format("{}", instance.segment);
  if (instance.micro_batch != -1) text += fmt::format(" mb={}", instance.micro_batch);
  if (instance.slice != 0) text += fmt::format(" slice={}", instance.slice);
  if (instance.first) text += " first";
  for (int area = 0; area < kAreas; ++area)
    if (instance.bases[area] != 0) text += fmt::format(" {}={}", kAreaNames[area], instance.bases[area]);
  if (instance.first_event != 0) text += fmt::format(" event={}", instance.first_event);
  for (const Wait& wait : instance.waits) {
    text += fmt::format(" wait={}:{}", name_of(wait.queue), wait.event);
    if (wait.lag != 0) text += fmt::format("~{}", wait.lag);
  }
  return text;
}

std::string list_text(const RankList& list) {
  std::string text = fmt::format("\nlist stage {} events {}", list.stage, list.events);
  for (int area = 0; area < kAreas; ++area)
    text += fmt::format(" {} {}", kAreaNames[area], list.area_bytes[area]);
  text += list.instances.empty() ? "\n  none" : "\n ";
  for (size_t i = 0; i < list.instances.size(); ++i)
    text += (i == 0 ? " " : "; ") + instance_text(list.instances[i]);
  return text + "\n";
}

}  // namespace

std::string to_text(const Instruction& instruction) {
  std::string text = fmt::format("{} {}", name_of(instruction.queue), graph::name_of(instruction.op));
  if (const std::string attributes = attributes_text(instruction.attributes); !attributes.empty())
    text += " " + attributes;
  for (const Region& read : instruction.reads) text += " " + region_text(read);
  text += " ->";
  for (const Result& result : instruction.results) {
    if (result.mode != Mode::write) text += fmt::format(" {}", kModeNames[static_cast<size_t>(result.mode)]);
    text += " " + region_text(result.region);
  }
  if (!instruction.kernel.empty()) text += " kernel " + quoted(instruction.kernel);
  if (instruction.workspace) text += " workspace " + region_text(*instruction.workspace);
  if (instruction.guard) text += fmt::format(" guard {}", *instruction.guard);
  if (!instruction.waits.empty()) text += " waits " + numbers(instruction.waits);
  if (instruction.fires) text += fmt::format(" fires {}", *instruction.fires);
  if (instruction.party) text += party_text(*instruction.party);
  if (!instruction.label.empty()) text += " label " + quoted(instruction.label);
  return text;
}

std::string to_text(const Program& program) {
  std::string text = header_text(program) + "\n";
  for (const StateSlot& slot : program.state) text += slot_text(slot);
  for (const Port& port : program.inputs) text += port_text("input", port);
  for (const Port& port : program.outputs) text += port_text("output", port);
  for (const Segment& segment : program.segments) {
    text += fmt::format("\nsegment {} {} chunk {} events {}\n", quoted(segment.name), name_of(segment.phase),
                        segment.chunk, segment.events);
    for (const Instruction& instruction : segment.instructions) text += "  " + to_text(instruction) + "\n";
  }
  for (const RankList& list : program.lists) text += list_text(list);
  return text;
}

}  // namespace pleat::program
