// SPDX-License-Identifier: Apache-2.0
// The inverse of text.cpp. Empty lines, and lines that begin with '#', may stand anywhere. References between
// parts (segment numbers, events, guards) are verify's to judge; what would not fit in memory or in an
// integer is refused here.
#include <optional>

#include "program/text_parts.h"

namespace pleat::program {
namespace {

/// Line by line, into the parts of the Program.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Program run() {
    header();
    while (auto s = next()) body(*s);
    return std::move(p_);
  }

 private:
  /// The next line that says something.
  std::optional<LineScanner> next() {
    while (!text_.empty()) {
      const size_t length = std::min(text_.size(), text_.find('\n'));
      const std::string_view line = text_.substr(0, length);
      text_.remove_prefix(std::min(text_.size(), length + 1));
      LineScanner s(line, ++number_);
      if (!s.done() && line.front() != '#') return s;
    }
    return std::nullopt;
  }

  LineScanner must(std::string_view key) {
    auto s = next();
    if (!s) base::fail<base::DataError>("line {}: expected '{}', found the end of the text", number_, key);
    s->expect(key);
    return *s;
  }

  int64_t header_number(std::string_view key, int64_t least, int64_t most) {
    LineScanner s = must(key);
    const int64_t value = s.integer("a number", least, most);
    s.expect_end();
    return value;
  }

  void header() {
    LineScanner format = must("format:");
    if (const int64_t version = format.integer("a format version", 0, kMostCount); version != kFormat)
      base::fail<base::DataError>("line {}: format {} of a Program is unknown: this build reads format {}",
                                  number_, version, kFormat);
    format.expect_end();
    LineScanner name = must("program:");
    p_.name = name.quoted("a name");
    name.expect_end();
    parse_layout();
    p_.threads = static_cast<int32_t>(header_number("threads:", 1, 1 << 16));
    p_.micro_batches = static_cast<int32_t>(header_number("micro_batches:", 0, kMostCount));
    p_.tokens = header_number("tokens:", 0, kMostDim);
    p_.allowance = header_number("allowance:", 0, kMostBytes);
    LineScanner memory = must("memory:");
    for (int area = 0; area < kAreas; ++area) {
      memory.expect(kAreaNames[area]);
      p_.memory[area] = one_of<Memory>(memory, kMemoryNames, "a memory");
      memory.skip_spaces();
    }
    memory.expect_end();
  }

  void parse_layout() {
    LineScanner s = must("layout:");
    layout::Degrees d;
    int64_t ranks = 1;
    const auto degree = [&](std::string_view axis, int64_t& size) {
      s.expect(axis);
      size = s.integer("a size", 1, kMostRanks);
      s.skip_spaces();
    };
    degree("tp", d.tp), degree("cp", d.cp), degree("dp", d.dp), degree("pp", d.pp);
    degree("ep", d.ep), degree("etp", d.etp), degree("vpp", d.vpp);
    s.expect_end();
    for (int64_t size : {d.tp, d.cp, d.dp, d.pp, d.vpp}) ranks = ranks > kMostRanks ? ranks : ranks * size;
    if (ranks > kMostRanks)
      base::fail<base::DataError>("line {}: a layout of more than {} ranks", number_, kMostRanks);
    try {
      p_.layout = layout::Layout(d);
    } catch (const base::JobError& error) {
      base::fail<base::DataError>("line {}: {}", number_, error.what());
    }
  }

  void body(LineScanner& s) {
    const bool in_segment = std::exchange(in_segment_, false);
    if (s.accept("state")) return p_.state.push_back(slot(s));
    if (s.accept("input")) return p_.inputs.push_back(port(s));
    if (s.accept("output")) return p_.outputs.push_back(port(s));
    if (s.accept("segment")) return in_segment_ = true, p_.segments.push_back(segment(s));
    if (s.accept("list")) return p_.lists.push_back(list(s));
    if (!in_segment) s.fail("'state', 'input', 'output', 'segment' or 'list'");
    in_segment_ = true;
    p_.segments.back().instructions.push_back(parse_instruction(s));
  }

  StateSlot slot(LineScanner& s) {
    StateSlot slot;
    slot.role = one_of<Role>(s, kRoleNames, "a role");
    s.skip_spaces();
    slot.name = s.quoted("a parameter");
    s.expect("stage");
    slot.stage = small(s, "a stage", 0, kMostStages);
    s.expect("holders");
    slot.holders = small_integers(s, "a stage", 0, kMostStages);
    s.expect("global");
    slot.global = parse_shape(s);
    s.skip_spaces();
    slot.placements = parse_placements(s);
    slot.region = parse_region(s);
    s.expect_end();
    return slot;
  }

  Port port(LineScanner& s) {
    Port port;
    port.name = s.quoted("a port");
    s.expect("stage");
    port.stage = small(s, "a stage", 0, kMostStages);
    port.placements = parse_placements(s);
    port.region = parse_region(s);
    s.expect("bases");
    port.bases = s.integers("a base", 0, kMostBytes);
    s.expect_end();
    return port;
  }

  Segment segment(LineScanner& s) {
    Segment segment;
    segment.name = s.quoted("a segment's name");
    segment.phase = one_of<Phase>(s, kPhaseNames, "a phase");
    s.skip_spaces();
    s.expect("chunk");
    segment.chunk = small(s, "a chunk", -1);
    s.expect("events");
    segment.events = small(s, "a number of events", 0);
    s.expect_end();
    return segment;
  }

  RankList list(LineScanner& s) {
    RankList list;
    s.expect("stage");
    list.stage = small(s, "a stage", 0, kMostStages);
    s.expect("events");
    list.events = small(s, "a number of events", 0);
    for (int area = 0; area < kAreas; ++area) {
      s.expect(kAreaNames[area]);
      list.area_bytes[area] = s.integer("bytes", 0, kMostBytes);
      s.skip_spaces();
    }
    s.expect_end();
    auto line = next();
    if (!line)
      base::fail<base::DataError>("line {}: expected instances or 'none', found the end of the text",
                                  number_);
    if (line->accept("none")) line->expect_end();
    while (!line->done()) list.instances.push_back(parse_instance(*line));
    return list;
  }

  std::string_view text_;
  int number_ = 0;
  bool in_segment_ = false;
  Program p_;
};

}  // namespace

Program from_text(std::string_view text) {
  return Parser(text).run();
}

}  // namespace pleat::program
