// SPDX-License-Identifier: Apache-2.0
// The two meshes over the same ranks: coordinates, groups, local parts, names and refusals.
#include "layout/layout.h"

#include <gtest/gtest.h>

#include <set>

#include "base/errors.h"

namespace pleat::layout {
namespace {

using base::Rank;

Degrees degrees(int64_t tp, int64_t cp, int64_t dp, int64_t pp, int64_t ep, int64_t etp = 1) {
  Degrees d;
  d.tp = tp, d.cp = cp, d.dp = dp, d.pp = pp, d.ep = ep, d.etp = etp;
  return d;
}

std::vector<Layout> layouts() {
  std::vector<Layout> all;
  for (int64_t tp : {1, 2})
    for (int64_t cp : {1, 3})
      for (int64_t dp : {1, 2, 4})
        for (int64_t pp : {1, 2, 3})
          for (int64_t ep : {1, 2, 4, 6})
            for (int64_t etp : {1, 2})
              if (tp * cp * dp % (ep * etp) == 0) all.emplace_back(degrees(tp, cp, dp, pp, ep, etp));
  return all;
}

std::string error_of(const Degrees& d) {
  try {
    Layout layout(d);
  } catch (const base::JobError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Layout, CoordinatesAreTheMixedRadixDigitsOfTheRank) {
  for (const Layout& l : layouts())
    for (int64_t r = 0; r < l.world(); ++r) {
      const auto at = [&](Axis axis) { return l.coordinate(Rank(r), axis); };
      const auto n = [&](Axis axis) { return l.size(axis); };
      EXPECT_EQ(r, at(Axis::tp) + n(Axis::tp) * (at(Axis::cp) +
                                                 n(Axis::cp) * (at(Axis::dp) + n(Axis::dp) * at(Axis::pp))));
      EXPECT_EQ(
          r, at(Axis::etp) +
                 n(Axis::etp) * (at(Axis::ep) + n(Axis::ep) * (at(Axis::edp) + n(Axis::edp) * at(Axis::pp))));
    }
}

TEST(Layout, BothMeshesTileAStageOverTheSameRanks) {
  for (const Layout& l : layouts())
    for (int64_t r = 0; r < l.world(); ++r) {
      const auto dense = l.group(Rank(r), {Axis::tp, Axis::cp, Axis::dp}),
                 expert = l.group(Rank(r), {Axis::etp, Axis::ep, Axis::edp});
      EXPECT_EQ(dense, expert);
      EXPECT_EQ(static_cast<int64_t>(dense.size()), l.ranks_per_stage());
      for (Rank member : dense) EXPECT_EQ(l.stage_of(member), l.stage_of(Rank(r)));
    }
}

TEST(Layout, GroupsPartitionTheWorldInRankOrder) {
  const AxisSet sets[]{
      {},         {Axis::dp},           {Axis::tp, Axis::cp}, {Axis::ep}, {Axis::edp, Axis::etp},
      {Axis::pp}, {Axis::dp, Axis::pp}, {Axis::ep, Axis::pp}};
  for (const Layout& l : layouts())
    for (const AxisSet& axes : sets) {
      std::set<std::vector<Rank>> groups;
      size_t members = 0;
      for (int64_t r = 0; r < l.world(); ++r) {
        const std::vector<Rank> group = l.group(Rank(r), axes);
        EXPECT_EQ(static_cast<int64_t>(group.size()), l.size(axes));
        EXPECT_TRUE(std::is_sorted(group.begin(), group.end()));
        EXPECT_EQ(group[static_cast<size_t>(l.position_in_group(Rank(r), axes))], Rank(r));
        if (groups.insert(group).second) members += group.size();
      }
      EXPECT_EQ(static_cast<int64_t>(members), l.world());  // disjoint: each rank once
    }
}

TEST(Layout, AGroupOverBothMeshesIsRefused) {
  EXPECT_THROW(Layout(degrees(1, 1, 2, 1, 2)).group(Rank(0), {Axis::dp, Axis::ep}), base::CheckError);
}

TEST(Layout, LocalPartsCoverTheGlobalShapeOnce) {
  const Layout l(degrees(2, 1, 4, 2, 2));
  const base::Shape global{16, 6};
  const Placements by_dp =
      Placements(MeshKind::dense).with(Axis::dp, Placement::sharded(0)).with(Axis::tp, Placement::sharded(0));
  EXPECT_EQ(l.local_shape(global, by_dp), (base::Shape{2, 6}));
  std::set<int64_t> begins;
  for (Rank rank : l.group(Rank(0), {Axis::tp, Axis::dp}))
    begins.insert(l.local_begin(global, by_dp, rank)[0]);
  EXPECT_EQ(begins, (std::set<int64_t>{0, 2, 4, 6, 8, 10, 12, 14}));
  // dp is the slower axis: it cuts first, tp cuts its part.
  EXPECT_EQ(l.local_begin(global, by_dp, Rank(1))[0], 2);
  EXPECT_EQ(l.local_begin(global, by_dp, Rank(2))[0], 4);
  const Placements experts =
      Placements(MeshKind::expert).with(Axis::ep, Placement::sharded(0)).with(Axis::edp, Placement::shared());
  EXPECT_EQ(l.local_shape(global, experts), (base::Shape{8, 6}));
}

TEST(Layout, AnAxisThatDoesNotDivideADimIsNamed) {
  const Layout l(degrees(1, 1, 4, 1, 1));
  try {
    l.local_shape({6, 2}, Placements(MeshKind::dense).with(Axis::dp, Placement::sharded(0)));
    FAIL();
  } catch (const base::JobError& error) {
    EXPECT_STREQ(error.what(), "axis dp of size 4 does not divide dim 0 of shape 6x2");
  }
}

TEST(Layout, RefusalsShowTheArithmeticAndTheLegalChoices) {
  Degrees d = degrees(2, 2, 4, 1, 6);
  d.where = "job.yaml:14";
  EXPECT_EQ(error_of(d),
            "expert axes ep 6 * etp 1 = 6 do not divide dp*cp*tp = 4*2*2 = 16: choose ep 1, 2, 4, 8, 16 "
            "(job.yaml:14)");
  EXPECT_EQ(error_of(degrees(1, 1, 4, 1, 1, 3)),
            "expert axes ep 1 * etp 3 = 3 do not divide dp*cp*tp = 4*1*1 = 4: choose ep 1 with etp 1");
  EXPECT_EQ(error_of(degrees(1, 1, 0, 1, 1)), "axis dp has size 0: choose 1 or more");
  EXPECT_EQ(error_of(degrees(1, 1, 4, 2, 4)), "accepted");
}

TEST(Layout, LayersAreSpreadEvenlyAndInOrder) {
  for (int64_t pp = 1; pp <= 6; ++pp)
    for (int64_t layers = pp; layers < 20; ++layers) {
      const Layout l(degrees(1, 1, 1, pp, 1));
      int64_t next = 0;
      for (int64_t c = 0; c < l.chunks(); ++c) {
        const Layout::Span span = l.layers_of(base::Chunk(c), layers);
        EXPECT_EQ(span.first, next);
        EXPECT_GE(span.last - span.first, layers / pp);
        EXPECT_LE(span.last - span.first, (layers + pp - 1) / pp);
        next = span.last;
      }
      EXPECT_EQ(next, layers);
    }
}

TEST(Layout, ChunksGoRoundTheStages) {
  Degrees d = degrees(1, 1, 1, 3, 1);
  d.vpp = 2;
  const Layout l(d);
  EXPECT_EQ(l.chunks(), 6);
  for (int64_t c = 0; c < 6; ++c) EXPECT_EQ(l.stage_of(base::Chunk(c)).value, c % 3);
  EXPECT_EQ(l.name(), "pp3 vpp2");
  EXPECT_EQ(Layout().name(), "one rank");
}

TEST(Placement, NamesAreExactInverses) {
  std::vector<Placement> all{Placement::replicated(), Placement::shared(), Placement::partial()};
  for (int dim = 0; dim < 4; ++dim) all.push_back(Placement::sharded(dim));
  for (Placement p : all) {
    EXPECT_EQ(placement_named(to_string(p)), p);
    EXPECT_EQ(cotangent(cotangent(p)), p);
  }
  EXPECT_EQ(cotangent(Placement::shared()), Placement::partial());
  EXPECT_EQ(cotangent(Placement::sharded(1)), Placement::sharded(1));
  for (std::string_view wrong : {"sharded", "sharded9", "Shared", "partial0", ""})
    EXPECT_THROW(placement_named(wrong), base::JobError) << wrong;
}

TEST(AxisSet, NamesAreExactInverses) {
  for (int bits = 0; bits < 1 << kAxes; ++bits) {
    AxisSet axes;
    for (Axis axis : kAllAxes)
      if (bits >> static_cast<int>(axis) & 1) axes.add(axis);
    EXPECT_EQ(axes_named(to_string(axes)), axes);
  }
  EXPECT_THROW(axes_named("dp+"), base::JobError);
  EXPECT_THROW(axes_named("xp"), base::JobError);
}

}  // namespace
}  // namespace pleat::layout
