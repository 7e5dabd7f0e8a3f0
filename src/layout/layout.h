// SPDX-License-Identifier: Apache-2.0
// Which rank stands where: two meshes over the same ranks, parallel folding (design, section 4).
//   world = PP DP CP TP = PP EDP EP ETP
//   dense rank  = tp  + TP (cp + CP (dp + DP pp))
//   expert rank = etp + ETP (ep + EP (edp + EDP pp))
// Not here: what lies on a rank (placements of values, model and compile), nor hardware.
#pragma once
#include <array>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/shape.h"
#include "layout/axis.h"
#include "layout/placement.h"

namespace pleat::layout {

/// What a job asks for; edp follows. `where` (a file:line, may be empty) goes into errors.
struct Degrees {
  int64_t tp = 1, cp = 1, dp = 1, pp = 1, vpp = 1, ep = 1, etp = 1;
  std::string where{};
};

class Layout {
 public:
  Layout() : Layout(Degrees{}) {}
  /// JobError with the arithmetic and the nearest legal choices when the expert mesh does not tile the dense
  /// one.
  explicit Layout(const Degrees& degrees);

  int64_t size(Axis axis) const { return sizes_[static_cast<size_t>(axis)]; }
  /// Ranks of a group over these axes.
  int64_t size(AxisSet axes) const;
  int64_t world() const { return world_; }
  int64_t stages() const { return size(Axis::pp); }
  int64_t vpp() const { return vpp_; }
  int64_t chunks() const { return stages() * vpp_; }
  int64_t ranks_per_stage() const { return world_ / stages(); }

  int64_t coordinate(base::Rank rank, Axis axis) const;
  base::Stage stage_of(base::Rank rank) const { return base::Stage(coordinate(rank, Axis::pp)); }
  /// Chunk c lives on stage c mod pp (interleaved order; the same as c without virtual stages).
  base::Stage stage_of(base::Chunk chunk) const { return base::Stage(chunk.value % stages()); }
  /// The same place in another stage.
  base::Rank at_stage(base::Rank rank, base::Stage stage) const;
  /// The ranks that differ from `rank` in these axes only, in rank order, `rank` included. The axes belong to
  /// one mesh (pp to both).
  std::vector<base::Rank> group(base::Rank rank, AxisSet axes) const;
  int64_t position_in_group(base::Rank rank, AxisSet axes) const;

  /// The part of a global shape that one rank holds. JobError naming dim and axis when an axis does not
  /// divide it.
  base::Shape local_shape(const base::Shape& global, const Placements& placements) const;
  /// First global index, per dim, of the rank's part. Where several axes cut one dim, the slower axis cuts
  /// first.
  base::Shape local_begin(const base::Shape& global, const Placements& placements, base::Rank rank) const;

  /// Layers [first, last) of a chunk: as even as possible, the remainder to the first chunks.
  struct Span {
    int64_t first = 0, last = 0;
    bool operator==(const Span&) const = default;
  };
  Span layers_of(base::Chunk chunk, int64_t layers) const;

  /// "pp2 dp2 ep2" (sizes above 1; "one rank").
  std::string name() const;
  bool operator==(const Layout&) const = default;

 private:
  std::array<int64_t, kAxes> sizes_{};
  int64_t vpp_ = 1;
  int64_t world_ = 1;
};

}  // namespace pleat::layout
