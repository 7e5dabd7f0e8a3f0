// SPDX-License-Identifier: Apache-2.0
// Every communication of three compiled Programs is deleted, doubled and led elsewhere, on one stage at a
// time: each mutant must be refused. Events are mended where that is possible, so that not a dangling event
// gives it away.
#include <gtest/gtest.h>

#include <iostream>
#include <map>

#include "programs.h"
#include "verify/channel.h"
#include "verify/verify.h"

namespace pleat::verify {
namespace {

using program::Instruction;
using program::Program;
using program::Segment;

layout::Degrees degrees(int64_t pp, int64_t dp, int64_t ep) {
  layout::Degrees d;
  d.pp = pp, d.dp = dp, d.ep = ep;
  return d;
}

struct Mutant {
  std::string name;
  Program program;
};

/// Without instruction i; what fires or waits moves to its neighbours on the queue or, where there is none,
/// away.
Program without(const Program& program, size_t s, size_t i) {
  Program mutant = program;
  Segment& segment = mutant.segments[s];
  const Instruction gone = segment.instructions[i];
  segment.instructions.erase(segment.instructions.begin() + static_cast<std::ptrdiff_t>(i));
  if (!gone.fires) return mutant;
  for (size_t j = i; j-- > 0;)
    if (segment.instructions[j].queue == gone.queue && !segment.instructions[j].fires) {
      segment.instructions[j].fires = gone.fires;
      return mutant;
    }
  return mutant;
}

Program doubled(const Program& program, size_t s, size_t i) {
  Program mutant = program;
  Segment& segment = mutant.segments[s];
  Instruction again = segment.instructions[i];
  segment.instructions[i].fires.reset();
  again.waits.clear();
  segment.instructions.insert(segment.instructions.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                              std::move(again));
  return mutant;
}

/// Led to every other stage, group or channel that the layout has.
std::vector<Program> retargeted(const Program& program, size_t s, size_t i, int32_t stage) {
  std::vector<Program> mutants;
  const Instruction& original = program.segments[s].instructions[i];
  const auto with = [&](auto change) {
    Program mutant = program;
    change(*mutant.segments[s].instructions[i].party);
    mutants.push_back(std::move(mutant));
  };
  if (original.op == graph::Op::send || original.op == graph::Op::receive) {
    for (int32_t offset : {-2, -1, 1, 2})
      if (offset != original.party->stage_offset) with([&](program::Party& p) { p.stage_offset = offset; });
    with([](program::Party& p) { p.purpose += " elsewhere"; });
    return mutants;
  }
  using layout::Axis;
  const auto members = [&](layout::AxisSet axes) {
    Instruction moved = original;
    moved.party->axes = axes;
    moved.party->stages.clear();
    return channel_of(program.layout, stage, moved);
  };
  for (const layout::AxisSet axes :
       {layout::AxisSet{Axis::dp}, layout::AxisSet{Axis::ep}, layout::AxisSet{Axis::edp},
        layout::AxisSet{Axis::pp}, layout::AxisSet{Axis::dp, Axis::pp}, layout::AxisSet{Axis::cp}}) {
    if (members(axes) == channel_of(program.layout, stage, original))
      continue;  // the same ranks by another name
    with([&](program::Party& p) { p.axes = axes, p.stages.clear(); });
  }
  if (original.party->axes.has(Axis::pp)) with([](program::Party& p) { p.purpose += " elsewhere"; });
  return mutants;
}

std::vector<Mutant> mutants_of(const Program& program) {
  std::vector<Mutant> all;
  std::map<int32_t, int32_t> stage_of;
  for (const auto& list : program.lists)
    for (const auto& instance : list.instances) stage_of[instance.segment] = list.stage;
  for (size_t s = 0; s < program.segments.size(); ++s) {
    const Segment& segment = program.segments[s];
    for (size_t i = 0; i < segment.instructions.size(); ++i) {
      if (!graph::is_communication(segment.instructions[i].op)) continue;
      const std::string what =
          fmt::format("'{}' {}: {}", segment.name, i, program::to_text(segment.instructions[i]));
      all.push_back({"deleted " + what, without(program, s, i)});
      all.push_back({"doubled " + what, doubled(program, s, i)});
      for (Program& mutant : retargeted(program, s, i, stage_of[static_cast<int32_t>(s)]))
        all.push_back({"retargeted " + what, std::move(mutant)});
    }
  }
  return all;
}

TEST(Mutation, EveryCommunicationMatters) {
  const std::pair<std::string, compile::Request> programs[]{
      {"experts, pp2 dp2 ep2", small_request(expert_model(2), degrees(2, 2, 2), 2)},
      {"experts, dp4 ep2", small_request(expert_model(1), degrees(1, 4, 2), 2)},
      {"tied, pp4 dp2", small_request(dense_model(4, true), degrees(4, 2, 1), 3)}};
  for (const auto& [name, request] : programs) {
    const Program program = compile::compile(request);
    ASSERT_TRUE(verify(program).ok()) << to_text(verify(program));
    int caught = 0;
    std::map<std::string, int> first_by;
    for (const Mutant& mutant : mutants_of(program)) {
      const Report report = verify(mutant.program);
      EXPECT_FALSE(report.ok()) << name << ": survived: " << mutant.name;
      if (report.ok()) continue;
      ++caught;
      ++first_by[report.issues[0].property];
    }
    EXPECT_GT(caught, 20);
    std::cout << "count: " << name << ": " << caught << " mutants caught, first by";
    for (const auto& [property, n] : first_by) std::cout << " " << property << " " << n;
    std::cout << "\n";
  }
}

}  // namespace
}  // namespace pleat::verify
