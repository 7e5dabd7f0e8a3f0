// SPDX-License-Identifier: Apache-2.0
// How a value lies over one mesh axis. The four placements are closed under differentiation (design, section
// 2).
#pragma once
#include <array>
#include <string>
#include <string_view>

#include "layout/axis.h"

namespace pleat::layout {

struct Placement {
  enum class Kind : uint8_t { replicated, shared, sharded, partial };
  Kind kind = Kind::replicated;
  int8_t dim = -1;  // of a sharded value

  static constexpr Placement replicated() { return {}; }
  static constexpr Placement shared() { return {Kind::shared, -1}; }
  static constexpr Placement partial() { return {Kind::partial, -1}; }
  static constexpr Placement sharded(int dim) { return {Kind::sharded, static_cast<int8_t>(dim)}; }
  constexpr bool operator==(const Placement&) const = default;
};

/// The placement of a value's cotangent.
constexpr Placement cotangent(Placement placement) {
  if (placement == Placement::partial()) return Placement::shared();
  if (placement == Placement::shared()) return Placement::partial();
  return placement;
}

/// "replicated", "shared", "partial", "sharded0". Exact inverses.
std::string to_string(Placement placement);
Placement placement_named(std::string_view text);

/// One placement per axis of one mesh; the axes of the other mesh do not apply. Over pp a value lives where
/// it is.
class Placements {
 public:
  Placements() = default;
  explicit Placements(MeshKind mesh) : mesh_(mesh) {}
  MeshKind mesh() const { return mesh_; }
  Placement operator[](Axis axis) const { return by_axis_[static_cast<size_t>(axis)]; }
  Placements with(Axis axis, Placement placement) const {
    Placements changed = *this;
    changed.by_axis_[static_cast<size_t>(axis)] = placement;
    return changed;
  }
  bool operator==(const Placements&) const = default;

 private:
  MeshKind mesh_ = MeshKind::dense;
  std::array<Placement, kAxes> by_axis_{};
};

}  // namespace pleat::layout
