// SPDX-License-Identifier: Apache-2.0
#include "layout/layout.h"

#include <algorithm>

#include "base/errors.h"

namespace pleat::layout {
namespace {

using base::fail;
using base::JobError;
using base::Rank;

std::string at(const std::string& where) {
  return where.empty() ? "" : " (" + where + ")";
}

void check_positive(std::string_view axis, int64_t size, const std::string& where) {
  if (size < 1) fail<JobError>("axis {} has size {}: choose 1 or more{}", axis, size, at(where));
}

std::vector<int64_t> divisors(int64_t n) {
  std::vector<int64_t> result;
  for (int64_t d = 1; d <= n; ++d)
    if (n % d == 0) result.push_back(d);
  return result;
}

}  // namespace

Layout::Layout(const Degrees& d) : vpp_(d.vpp) {
  check_positive("tp", d.tp, d.where), check_positive("cp", d.cp, d.where),
      check_positive("dp", d.dp, d.where);
  check_positive("pp", d.pp, d.where), check_positive("vpp", d.vpp, d.where),
      check_positive("ep", d.ep, d.where);
  check_positive("etp", d.etp, d.where);
  const int64_t stage_ranks = d.dp * d.cp * d.tp;
  if (stage_ranks % (d.ep * d.etp) != 0) {
    std::vector<int64_t> legal = divisors(stage_ranks);
    std::erase_if(legal, [&](int64_t ep) { return stage_ranks % (ep * d.etp) != 0; });
    fail<JobError>("expert axes ep {} * etp {} = {} do not divide dp*cp*tp = {}*{}*{} = {}: choose ep {}{}",
                   d.ep, d.etp, d.ep * d.etp, d.dp, d.cp, d.tp, stage_ranks,
                   legal.empty() ? std::string("1 with etp 1") : fmt::format("{}", fmt::join(legal, ", ")),
                   at(d.where));
  }
  const auto set = [&](Axis axis, int64_t size) { sizes_[static_cast<size_t>(axis)] = size; };
  set(Axis::tp, d.tp), set(Axis::cp, d.cp), set(Axis::dp, d.dp), set(Axis::pp, d.pp);
  set(Axis::etp, d.etp), set(Axis::ep, d.ep), set(Axis::edp, stage_ranks / (d.ep * d.etp));
  world_ = d.pp * stage_ranks;
}

int64_t Layout::size(AxisSet axes) const {
  int64_t ranks = 1;
  for (Axis axis : kAllAxes)
    if (axes.has(axis)) ranks *= size(axis);
  return ranks;
}

int64_t Layout::coordinate(Rank rank, Axis axis) const {
  if (axis == Axis::pp) return rank.value / ranks_per_stage();
  const bool dense = axis == Axis::tp || axis == Axis::cp || axis == Axis::dp;
  int64_t rest = rank.value % ranks_per_stage();
  for (Axis faster : axes_of(dense ? MeshKind::dense : MeshKind::expert)) {
    if (faster == axis) return rest % size(axis);
    rest /= size(faster);
  }
  return 0;
}

Rank Layout::at_stage(Rank rank, base::Stage stage) const {
  return Rank(rank.value % ranks_per_stage() + stage.value * ranks_per_stage());
}

std::vector<Rank> Layout::group(Rank rank, AxisSet axes) const {
  std::vector<Rank> ranks;
  const auto same = [&](Rank other, MeshKind mesh) {
    return std::all_of(axes_of(mesh).begin(), axes_of(mesh).end(), [&](Axis axis) {
      return axes.has(axis) || coordinate(other, axis) == coordinate(rank, axis);
    });
  };
  const auto touches = [&](MeshKind mesh) {
    return std::any_of(axes_of(mesh).begin(), axes_of(mesh).end(), [&](Axis axis) { return axes.has(axis); });
  };
  const MeshKind mesh = touches(MeshKind::expert) ? MeshKind::expert : MeshKind::dense;
  if (touches(MeshKind::expert) && touches(MeshKind::dense))
    fail<base::CheckError>("a group over {} mixes the dense and the expert mesh", to_string(axes));
  for (int64_t r = 0; r < world_; ++r) {
    const Rank other(r);
    const bool same_stage = axes.has(Axis::pp) || stage_of(other) == stage_of(rank);
    if (same_stage && same(other, mesh)) ranks.push_back(other);
  }
  return ranks;
}

int64_t Layout::position_in_group(Rank rank, AxisSet axes) const {
  const std::vector<Rank> ranks = group(rank, axes);
  return std::find(ranks.begin(), ranks.end(), rank) - ranks.begin();
}

base::Shape Layout::local_shape(const base::Shape& global, const Placements& placements) const {
  base::Shape local = global;
  for (Axis axis : axes_of(placements.mesh())) {
    const Placement placement = placements[axis];
    if (placement.kind != Placement::Kind::sharded) continue;
    if (local[placement.dim] % size(axis) != 0)
      fail<JobError>("axis {} of size {} does not divide dim {} of shape {}", name_of(axis), size(axis),
                     placement.dim, base::to_string(global));
    local[placement.dim] /= size(axis);
  }
  return local;
}

base::Shape Layout::local_begin(const base::Shape& global, const Placements& placements, Rank rank) const {
  base::Shape begin = global, extent = global;
  for (int dim = 0; dim < global.dims(); ++dim) begin[dim] = 0;
  const auto& axes = axes_of(placements.mesh());
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    const Placement placement = placements[*axis];
    if (placement.kind != Placement::Kind::sharded) continue;
    extent[placement.dim] /= size(*axis);
    begin[placement.dim] += extent[placement.dim] * coordinate(rank, *axis);
  }
  return begin;
}

Layout::Span Layout::layers_of(base::Chunk chunk, int64_t layers) const {
  const int64_t each = layers / chunks(), remainder = layers % chunks(), c = chunk.value;
  const int64_t first = c * each + std::min(c, remainder);
  return {first, first + each + (c < remainder ? 1 : 0)};
}

std::string Layout::name() const {
  std::string text;
  for (Axis axis : {Axis::pp, Axis::dp, Axis::cp, Axis::tp, Axis::ep, Axis::etp})
    if (size(axis) > 1) text += fmt::format("{}{}{}", text.empty() ? "" : " ", name_of(axis), size(axis));
  if (vpp_ > 1) text += fmt::format("{}vpp{}", text.empty() ? "" : " ", vpp_);
  return text.empty() ? "one rank" : text;
}

}  // namespace pleat::layout
