// SPDX-License-Identifier: Apache-2.0
// How placements pass through an instruction, from the facts of its operation. Replicated and shared are one
// here: equal on every rank. Axes of size 1 are left out.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "verify/flat.h"

namespace pleat::verify {

using Placed = std::optional<layout::Placements>;  // none: unknown, from a stage without a list

class PlacementRules {
 public:
  explicit PlacementRules(const layout::Layout& layout) : layout_(layout) {}

  /// Without axes of size 1, shared as replicated; what is equal everywhere lies on no particular mesh.
  layout::Placements canonical(layout::Placements placements) const;
  /// Of the results of a computation or of a collective. Sets `problem` when the operands are not legal.
  std::vector<Placed> results(const Instruction& instruction, const std::vector<Placed>& reads,
                              std::string& problem);

 private:
  struct Remembered {
    std::vector<Placed> reads, results;
  };

  std::vector<Placed> derive(const Instruction& instruction, const std::vector<Placed>& reads,
                             std::string& problem) const;
  std::vector<Placed> by_facts(const Instruction& instruction, const std::vector<Placed>& reads,
                               std::string& problem) const;
  Placed collective(const Instruction& instruction, const layout::Placements& from,
                    std::string& problem) const;
  Placed exchange(const Instruction& instruction, const std::vector<Placed>& reads,
                  std::string& problem) const;
  Placed over_axes(const Instruction& instruction, layout::Placements from, layout::Placement want,
                   layout::Placement get, std::string& problem) const;
  Placed squares(const layout::Placements& from, std::string& problem) const;
  Placed on_mesh(layout::Placements placements, layout::MeshKind mesh) const;
  bool equal_everywhere(const layout::Placements& placements) const {
    return placements == layout::Placements();
  }
  std::string name(const Placed& placed) const;

  const layout::Layout& layout_;
  std::map<const Instruction*, Remembered> remembered_;
};

}  // namespace pleat::verify
