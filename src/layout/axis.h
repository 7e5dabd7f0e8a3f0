// SPDX-License-Identifier: Apache-2.0
// The axes of the two meshes (dense: tp cp dp, expert: etp ep edp; both share pp), and sets of them.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace pleat::layout {

enum class Axis : uint8_t { tp, cp, dp, pp, etp, ep, edp };
inline constexpr int kAxes = 7;
inline constexpr std::array<std::string_view, kAxes> kAxisNames{"tp", "cp", "dp", "pp", "etp", "ep", "edp"};
inline constexpr std::array<Axis, kAxes> kAllAxes{Axis::tp,  Axis::cp, Axis::dp, Axis::pp,
                                                  Axis::etp, Axis::ep, Axis::edp};

constexpr std::string_view name_of(Axis axis) {
  return kAxisNames[static_cast<size_t>(axis)];
}
/// Throws JobError with the legal names.
Axis axis_named(std::string_view name);

/// A set of axes; the group that acts along them is the set of ranks that differ in these coordinates only.
class AxisSet {
 public:
  constexpr AxisSet() = default;
  constexpr AxisSet(std::initializer_list<Axis> axes) {
    for (Axis axis : axes) add(axis);
  }
  constexpr void add(Axis axis) { bits_ |= bit(axis); }
  constexpr bool has(Axis axis) const { return (bits_ & bit(axis)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr auto operator<=>(const AxisSet&) const = default;

 private:
  static constexpr uint8_t bit(Axis axis) { return static_cast<uint8_t>(1u << static_cast<unsigned>(axis)); }
  uint8_t bits_ = 0;
};

/// "dp+pp"; "none" for the empty set. Exact inverses.
std::string to_string(AxisSet axes);
AxisSet axes_named(std::string_view text);

enum class MeshKind : uint8_t { dense, expert };
/// The axes of a mesh without pp, fastest first: the order of ranks within a stage.
inline constexpr std::array<Axis, 3> kDenseAxes{Axis::tp, Axis::cp, Axis::dp};
inline constexpr std::array<Axis, 3> kExpertAxes{Axis::etp, Axis::ep, Axis::edp};
constexpr const std::array<Axis, 3>& axes_of(MeshKind mesh) {
  return mesh == MeshKind::dense ? kDenseAxes : kExpertAxes;
}

}  // namespace pleat::layout
