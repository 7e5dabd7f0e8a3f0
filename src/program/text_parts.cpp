// SPDX-License-Identifier: Apache-2.0
#include "program/text_parts.h"

namespace pleat::program {
namespace {

constexpr int64_t kMostBuffers = int64_t{1} << 30;

}  // namespace

int32_t small(LineScanner& s, std::string_view what, int64_t least, int64_t most) {
  const auto value = static_cast<int32_t>(s.integer(what, least, most));
  s.skip_spaces();
  return value;
}

std::vector<int32_t> small_integers(LineScanner& s, std::string_view what, int64_t least, int64_t most) {
  std::vector<int32_t> values;
  for (int64_t value : s.integers(what, least, most)) values.push_back(static_cast<int32_t>(value));
  return values;
}

base::Shape parse_shape(LineScanner& s) {
  if (s.accept_characters("scalar")) return {};
  std::array<int64_t, base::Shape::kMaxDims> dims{};
  size_t count = 0;
  double elements = 1;
  do {
    if (count == dims.size()) s.fail(fmt::format("at most {} dims", dims.size()));
    dims[count] = s.integer("a dim", 0, kMostDim);
    elements *= static_cast<double>(std::max<int64_t>(1, dims[count++]));
  } while (s.accept_characters("x"));
  if (elements > static_cast<double>(kMostBytes))
    s.fail(fmt::format("a shape of at most {} elements before this", kMostBytes));
  return base::Shape(std::span<const int64_t>(dims.data(), count));
}

Region parse_region(LineScanner& s) {
  Region region;
  region.area = one_of<Area>(s, kAreaNames, "an area");
  s.expect_characters("+");
  region.offset = s.integer("an offset", 0, kMostBytes);
  s.expect_characters(":");
  region.type.dtype = one_of<base::DType>(s, base::kDTypeNames, "a dtype");
  s.expect_characters(":");
  region.type.shape = parse_shape(s);
  region.type.row_stride = region.type.shape.row_elements();
  if (s.accept_characters("/")) {
    region.type.row_stride = s.integer("a row stride", 0, kMostDim);
    const double rows = region.type.shape.dims() == 0 ? 1 : static_cast<double>(region.type.shape[0]);
    if (rows * static_cast<double>(region.type.row_stride) > static_cast<double>(kMostBytes))
      s.fail(fmt::format("a region of at most {} elements before this", kMostBytes));
  }
  if (s.accept_characters("#")) region.buffer = static_cast<int32_t>(s.integer("a buffer", 0, kMostBuffers));
  s.skip_spaces();
  return region;
}

layout::Placements parse_placements(LineScanner& s) {
  const bool expert = s.accept("expert");
  if (!expert) s.expect("dense");
  layout::Placements placements(expert ? layout::MeshKind::expert : layout::MeshKind::dense);
  while (!s.accept("at")) {
    const auto axis = one_of<layout::Axis>(s, layout::kAxisNames, "an axis or 'at'");
    s.expect_characters(":");
    const std::string_view word = s.name("a placement");
    try {
      placements = placements.with(axis, layout::placement_named(word));
    } catch (const base::JobError& error) {
      base::fail<base::DataError>("line {}: {}", s.line(), error.what());
    }
    s.skip_spaces();
  }
  return placements;
}

namespace {

graph::Attributes parse_attributes(LineScanner& s) {
  graph::Attributes attributes;
  if (!s.accept_characters("{")) return attributes;
  do {
    s.skip_spaces();
    const std::string_view name = s.name("an attribute");
    if (attributes.has(name)) s.fail(fmt::format("attribute '{}' once", name));
    s.expect_characters("=");
    int64_t integer = 0;
    double number = 0;
    if (s.at_characters("\"")) {
      attributes.set(name, s.quoted("a word"));
    } else if (s.number(integer, number)) {
      attributes.set(name, number);
    } else {
      attributes.set(name, integer);
    }
  } while (s.accept_characters(","));
  s.expect_characters("}");
  s.skip_spaces();
  return attributes;
}

Party parse_party(LineScanner& s) {
  Party party;
  const std::string_view axes = s.name("axes", "+");
  try {
    party.axes = layout::axes_named(axes);
  } catch (const base::JobError& error) {
    base::fail<base::DataError>("line {}: {}", s.line(), error.what());
  }
  s.skip_spaces();
  party.purpose = s.quoted("a purpose");
  if (s.accept("stages")) party.stages = small_integers(s, "a stage", 0, kMostStages);
  if (s.accept("offset")) party.stage_offset = small(s, "a stage offset", -kMostStages, kMostStages);
  return party;
}

}  // namespace

Instruction parse_instruction(LineScanner& s) {
  Instruction i;
  i.queue = one_of<Queue>(s, kQueueNames, "a queue");
  s.skip_spaces();
  i.op = one_of<graph::Op>(s, graph::kOpNames, "an operation");
  s.skip_spaces();
  i.attributes = parse_attributes(s);
  while (!s.accept("->")) i.reads.push_back(parse_region(s));
  const auto clause = [&] {
    constexpr std::string_view kClauses[]{"kernel", "workspace", "guard", "waits", "fires", "over", "label"};
    return std::any_of(std::begin(kClauses), std::end(kClauses),
                       [&](std::string_view word) { return s.at(word); });
  };
  while (!s.done() && !clause()) {
    Mode mode = Mode::write;
    if (s.accept("accumulate"))
      mode = Mode::accumulate;
    else if (s.accept("update"))
      mode = Mode::update;
    i.results.push_back({parse_region(s), mode});
  }
  if (s.accept("kernel")) i.kernel = s.quoted("a kernel");
  if (s.accept("workspace")) i.workspace = parse_region(s);
  if (s.accept("guard")) i.guard = small(s, "the number of a read", 0);
  if (s.accept("waits")) i.waits = small_integers(s, "an event", 0, kMostCount);
  if (s.accept("fires")) i.fires = small(s, "an event", 0);
  if (s.accept("over")) i.party = parse_party(s);
  if (s.accept("label")) i.label = s.quoted("a label");
  s.expect_end();
  return i;
}

Instance parse_instance(LineScanner& s) {
  Instance instance;
  instance.first = false;
  instance.segment = small(s, "a segment", 0);
  while (!s.done() && !s.accept_characters(";")) {
    const std::string_view key = s.name("a field of an instance or ';'");
    if (key == "first") {
      instance.first = true;
      s.skip_spaces();
      continue;
    }
    s.expect_characters("=");
    if (key == "mb")
      instance.micro_batch = small(s, "a micro-batch", 0);
    else if (key == "slice")
      instance.slice = small(s, "a slice", 0);
    else if (key == "event")
      instance.first_event = small(s, "an event", 0);
    else if (key == "wait") {
      Wait wait;
      wait.queue = one_of<Queue>(s, kQueueNames, "a queue");
      s.expect_characters(":");
      wait.event = static_cast<int32_t>(s.integer("an event", 0, kMostCount));
      if (s.accept_characters("~")) wait.lag = static_cast<int32_t>(s.integer("a lag", 0, kMostCount));
      instance.waits.push_back(wait);
      s.skip_spaces();
    } else {
      instance.bases[index_of(s, kAreaNames, key, "mb, slice, first, event, wait or an area")] =
          s.integer("a base", 0, kMostBytes);
      s.skip_spaces();
    }
  }
  s.skip_spaces();
  return instance;
}

}  // namespace pleat::program
