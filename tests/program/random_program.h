// SPDX-License-Identifier: Apache-2.0
// Programs of any values that their types allow, for the text form: they need not make sense.
#pragma once
#include <random>

#include "program/program.h"

namespace pleat::program {

class RandomProgram {
 public:
  explicit RandomProgram(uint32_t seed) : random_(seed) {}

  Program make() {
    Program p;
    p.name = word();
    p.layout = layout();
    p.threads = pick(1, 64);
    p.micro_batches = pick(0, 100);
    p.tokens = pick(0, 1 << 20);
    p.allowance = pick(0, 1 << 30);
    for (Memory& memory : p.memory) memory = static_cast<Memory>(pick(0, 3));
    for (int n = pick(0, 3); n > 0; --n) p.state.push_back(slot());
    for (int n = pick(0, 2); n > 0; --n) p.inputs.push_back(port());
    for (int n = pick(0, 2); n > 0; --n) p.outputs.push_back(port());
    for (int n = pick(0, 3); n > 0; --n) p.segments.push_back(segment());
    for (int n = pick(0, 2); n > 0; --n) p.lists.push_back(list());
    return p;
  }

 private:
  int pick(int least, int most) { return std::uniform_int_distribution(least, most)(random_); }
  bool maybe() { return pick(0, 1) == 1; }
  int64_t bytes() { return std::uniform_int_distribution<int64_t>(0, int64_t{1} << pick(0, 50))(random_); }

  /// Any bytes, also quotes, backslashes, line ends and zeros.
  std::string word() {
    std::string text;
    for (int n = pick(0, 8); n > 0; --n)
      text += static_cast<char>(pick(0, 4) == 0 ? pick(0, 255) : pick('a', 'z'));
    return text;
  }

  layout::Layout layout() {
    layout::Degrees d;
    d.tp = 1 << pick(0, 2), d.cp = 1 << pick(0, 1), d.dp = 1 << pick(0, 2), d.pp = pick(1, 4),
    d.vpp = pick(1, 2);
    d.ep = d.tp, d.etp = d.cp;
    return layout::Layout(d);
  }

  Region region() {
    Region r;
    r.area = static_cast<Area>(pick(0, kAreas - 1));
    r.offset = bytes();
    r.type.dtype = static_cast<base::DType>(pick(0, 4));
    std::vector<int64_t> dims(pick(0, 4));
    for (int64_t& dim : dims) dim = pick(0, 1000);
    r.type.shape = base::Shape(dims);
    r.type.row_stride = maybe() ? r.type.shape.row_elements() : pick(0, 100000);
    if (maybe()) r.buffer = pick(0, 1000);
    return r;
  }

  graph::Attributes attributes() {
    graph::Attributes a;
    if (maybe()) a.set("count", int64_t{pick(-5, 5)} * (int64_t{1} << pick(0, 60)));
    if (maybe()) a.set("whole", static_cast<double>(pick(-3, 3)));
    if (maybe())
      a.set("real", std::ldexp(std::uniform_real_distribution(-1.0, 1.0)(random_), pick(-300, 300)));
    if (maybe()) a.set("word", word());
    if (pick(0, 9) == 0) a.set("endless", -HUGE_VAL);
    return a;
  }

  std::vector<int32_t> numbers() {
    std::vector<int32_t> values(pick(0, 3));
    for (int32_t& value : values) value = pick(0, 1000);
    return values;
  }

  Instruction instruction() {
    Instruction i;
    i.op = static_cast<graph::Op>(pick(0, static_cast<int>(graph::Op::count_) - 1));
    i.attributes = attributes();
    i.kernel = word();
    i.queue = static_cast<Queue>(pick(0, kQueues - 1));
    for (int n = pick(0, 3); n > 0; --n) i.reads.push_back(region());
    for (int n = pick(0, 3); n > 0; --n) i.results.push_back({region(), static_cast<Mode>(pick(0, 2))});
    if (maybe()) i.workspace = region();
    if (maybe()) i.guard = pick(0, 3);
    i.waits = numbers();
    if (maybe()) i.fires = pick(0, 100);
    if (maybe()) {
      Party party{{}, numbers(), pick(-3, 3), word()};
      for (layout::Axis axis : layout::kAllAxes)
        if (maybe()) party.axes.add(axis);
      i.party = party;
    }
    i.label = word();
    return i;
  }

  Segment segment() {
    Segment s{word(), static_cast<Phase>(pick(0, 7)), pick(-1, 8), pick(0, 100), {}};
    for (int n = pick(0, 4); n > 0; --n) s.instructions.push_back(instruction());
    return s;
  }

  Instance instance() {
    Instance i;
    i.segment = pick(0, 100);
    i.micro_batch = pick(-1, 100);
    i.slice = pick(0, 3);
    i.first = maybe();
    for (int64_t& base : i.bases)
      if (maybe()) base = bytes();
    i.first_event = pick(0, 100);
    for (int n = pick(0, 2); n > 0; --n)
      i.waits.push_back({static_cast<Queue>(pick(0, kQueues - 1)), pick(0, 50), pick(0, 1)});
    return i;
  }

  RankList list() {
    RankList l;
    l.stage = pick(0, 8);
    l.events = pick(0, 1000);
    for (int64_t& area : l.area_bytes) area = bytes();
    for (int n = pick(0, 5); n > 0; --n) l.instances.push_back(instance());
    return l;
  }

  layout::Placements placements() {
    using layout::Placement;
    layout::Placements p(maybe() ? layout::MeshKind::dense : layout::MeshKind::expert);
    for (layout::Axis axis : layout::axes_of(p.mesh())) {
      const std::array choices{Placement::replicated(), Placement::shared(), Placement::partial(),
                               Placement::sharded(pick(0, 3))};
      p = p.with(axis, choices[static_cast<size_t>(pick(0, 3))]);
    }
    return p;
  }

  StateSlot slot() {
    StateSlot s;
    s.name = word();
    s.role = static_cast<Role>(pick(0, 2));
    s.global = region().type.shape;
    s.placements = placements();
    s.stage = pick(0, 8);
    s.holders = numbers();
    s.region = region();
    return s;
  }

  Port port() {
    Port p{word(), pick(0, 8), region(), {}, placements()};
    for (int n = pick(0, 3); n > 0; --n) p.bases.push_back(bytes());
    return p;
  }

  std::mt19937 random_;
};

}  // namespace pleat::program
