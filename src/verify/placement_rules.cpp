// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/errors.h"
#include "graph/facts.h"
#include "verify/placements.h"

namespace pleat::verify {
namespace {

using graph::Op;
using layout::Axis;
using layout::MeshKind;
using layout::Placement;
using layout::Placements;
using Kind = Placement::Kind;

layout::MeshKind mesh_of(layout::AxisSet axes) {
  for (Axis axis : layout::axes_of(MeshKind::expert))
    if (axes.has(axis)) return MeshKind::expert;
  return MeshKind::dense;
}

bool fits(Placement have, Placement want) {
  return have == want || (have == Placement::replicated() && want == Placement::shared());
}

}  // namespace

Placements PlacementRules::canonical(Placements placements) const {
  Placements result(placements.mesh());
  for (Axis axis : layout::axes_of(placements.mesh()))
    if (layout_.size(axis) > 1 && placements[axis] != Placement::shared())
      result = result.with(axis, placements[axis]);
  return result == Placements(placements.mesh()) ? Placements() : result;
}

std::string PlacementRules::name(const Placed& placed) const {
  if (!placed) return "unknown";
  std::string text;
  for (Axis axis : layout::axes_of(placed->mesh()))
    if ((*placed)[axis] != Placement::replicated())
      text += fmt::format("{}{}:{}", text.empty() ? "" : " ", layout::name_of(axis),
                          layout::to_string((*placed)[axis]));
  return text.empty() ? "equal everywhere" : text;
}

Placed PlacementRules::on_mesh(Placements placements, MeshKind mesh) const {
  if (placements.mesh() == mesh || equal_everywhere(placements)) {
    Placements same(mesh);
    for (Axis axis : layout::axes_of(mesh)) same = same.with(axis, placements[axis]);
    return same;
  }
  // The two meshes number the same ranks: rows cut over all axes of one are cut over all axes of the other.
  Placement common = Placement::replicated();
  for (Axis axis : layout::axes_of(placements.mesh())) {
    if (layout_.size(axis) == 1) continue;
    if (common != Placement::replicated() && common != placements[axis]) return std::nullopt;
    common = placements[axis];
  }
  if (common != Placement::sharded(0) && common != Placement::partial()) return std::nullopt;
  Placements other(mesh);
  for (Axis axis : layout::axes_of(mesh))
    if (layout_.size(axis) > 1) other = other.with(axis, common);
  return other;
}

std::vector<Placed> PlacementRules::results(const Instruction& instruction, const std::vector<Placed>& reads,
                                            std::string& problem) {
  const auto found = remembered_.find(&instruction);
  if (found != remembered_.end() && found->second.reads == reads) return found->second.results;
  std::vector<Placed> results(instruction.results.size());
  try {
    results = derive(instruction, reads, problem);
  } catch (const std::runtime_error& error) {  // an attribute that the operation's facts ask for is missing
    problem = error.what();
  }
  for (Placed& result : results)
    if (result) result = canonical(*result);
  if (problem.empty()) remembered_[&instruction] = {reads, results};
  return results;
}

std::vector<Placed> PlacementRules::derive(const Instruction& instruction, const std::vector<Placed>& reads,
                                           std::string& problem) const {
  std::vector<Placed> unknown(instruction.results.size());
  if (std::any_of(reads.begin(), reads.end(), [](const Placed& p) { return !p; })) return unknown;
  const auto rest_equal = [&](size_t from) {
    for (size_t i = from; i < reads.size(); ++i)
      if (!equal_everywhere(*reads[i]))
        problem = fmt::format("operand {} is {}, not equal everywhere", i, name(reads[i]));
  };
  switch (instruction.op) {
    case Op::zero:
      return {Placements()};
    case Op::all_reduce:
    case Op::all_gather:
    case Op::reduce_scatter:
    case Op::all_to_all:
      return {collective(instruction, *reads[0], problem)};
    case Op::exchange:
      return {exchange(instruction, reads, problem)};
    case Op::expert_counts:
    case Op::slice: {
      const int dim =
          instruction.op == Op::slice ? static_cast<int>(instruction.attributes.integer_or("dim", 0)) : 1;
      if (!instruction.party) return problem = "has no group", unknown;
      return {over_axes(instruction, *reads[0], Placement::replicated(), Placement::sharded(dim), problem)};
    }
    case Op::sum_squares:
      return {squares(*reads[0], problem)};
    case Op::clip:
      rest_equal(0);
      return {Placements(), Placements(), Placements()};
    case Op::adamw:
      rest_equal(1);
      return {reads[0], reads[0], reads[0]};
    default:
      return by_facts(instruction, reads, problem);
  }
}

Placed PlacementRules::over_axes(const Instruction& instruction, Placements from, Placement want,
                                 Placement get, std::string& problem) const {
  const layout::AxisSet axes = instruction.party->axes;
  if (axes == layout::AxisSet{Axis::pp}) return from;  // over pp a value lives where it is
  const Placed seen = on_mesh(from, mesh_of(axes));
  if (!seen)
    return problem = fmt::format("{} cannot be seen over {}", name(from), layout::to_string(axes)),
           std::nullopt;
  Placements result = *seen;
  for (Axis axis : layout::axes_of(result.mesh())) {
    if (!axes.has(axis) || layout_.size(axis) == 1) continue;
    if (result[axis] != want)
      problem = fmt::format("over {} the operand is {}, it must be {}", layout::name_of(axis),
                            layout::to_string(result[axis]), layout::to_string(want));
    result = result.with(axis, get);
  }
  return result;
}

Placed PlacementRules::collective(const Instruction& instruction, const Placements& from,
                                  std::string& problem) const {
  switch (instruction.op) {
    case Op::all_reduce:
      return over_axes(instruction, from, Placement::partial(), Placement::replicated(), problem);
    case Op::all_gather:
      return over_axes(instruction, from, Placement::sharded(0), Placement::replicated(), problem);
    case Op::reduce_scatter:
      return over_axes(instruction, from, Placement::partial(), Placement::sharded(0), problem);
    default:
      return over_axes(instruction, from, Placement::sharded(0), Placement::sharded(0), problem);
  }
}

/// Token rows of the dense mesh become expert rows, or back.
Placed PlacementRules::exchange(const Instruction& instruction, const std::vector<Placed>& reads,
                                std::string& problem) const {
  if (instruction.party->axes != layout::AxisSet{Axis::ep})
    return problem = "goes over other axes than ep", std::nullopt;
  const Placed counts = on_mesh(*reads[1], MeshKind::expert);
  if (!counts || (*counts)[Axis::ep] != Placement::replicated())
    problem = "its counts are not those of all sources";
  const bool inverse = instruction.attributes.integer_or("inverse", 0) != 0;
  const Placed rows = on_mesh(*reads[0], MeshKind::expert);
  if (!rows || (*rows)[Axis::ep] != Placement::sharded(0))
    return problem = fmt::format("rows that are {} are no rows of the group", name(reads[0])), std::nullopt;
  return inverse ? on_mesh(*rows, MeshKind::dense) : rows;
}

/// One sum per tensor: of cut tensors the sums are partial, of a stack of experts they are cut as the stack
/// is.
Placed PlacementRules::squares(const Placements& from, std::string& problem) const {
  Placements result = from;
  for (Axis axis : layout::axes_of(from.mesh())) {
    if (from[axis] == Placement::partial())
      problem = fmt::format("sums the squares of a part over {}", layout::name_of(axis));
    if (from[axis].kind == Kind::sharded)
      result = result.with(axis, axis == Axis::ep ? Placement::sharded(0) : Placement::partial());
  }
  return result;
}

std::vector<Placed> PlacementRules::by_facts(const Instruction& instruction, const std::vector<Placed>& reads,
                                             std::string& problem) const {
  Placements any;
  for (const Placed& read : reads)
    if (!equal_everywhere(*read)) any = *read;
  std::vector<graph::Plain> plain;
  for (const Region& read : instruction.reads) plain.push_back({read.type.dtype, read.type.shape});
  const graph::Context context{instruction.attributes, plain, base::DType::f32};
  const std::vector<graph::Pattern> legal =
      graph::legal_patterns(graph::facts_of(instruction.op), context, instruction.results.size());
  std::vector<Placed> results(instruction.results.size(), Placements(any.mesh()));
  for (const Placed& read : reads)
    if (!equal_everywhere(*read) && read->mesh() != any.mesh())
      return problem = "mixes values of the two meshes", results;
  for (Axis axis : layout::axes_of(any.mesh())) {
    if (layout_.size(axis) == 1) continue;
    const auto match = std::find_if(legal.begin(), legal.end(), [&](const graph::Pattern& p) {
      for (size_t i = 0; i < reads.size(); ++i)
        if (i >= p.operands.size() || !fits((*reads[i])[axis], p.operands[i])) return false;
      return true;
    });
    if (match == legal.end()) {
      std::vector<std::string> have;
      for (const Placed& read : reads) have.push_back(layout::to_string((*read)[axis]));
      problem = fmt::format("operands that are {} over {} fit no legal combination", fmt::join(have, ", "),
                            layout::name_of(axis));
      continue;
    }
    for (size_t i = 0; i < results.size(); ++i) results[i] = results[i]->with(axis, match->results[i]);
  }
  return results;
}

}  // namespace pleat::verify
