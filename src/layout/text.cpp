// SPDX-License-Identifier: Apache-2.0
#include "layout/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace pleat::layout {
namespace {

/// Slowest first, as sizes are multiplied.
constexpr std::array kDense{Axis::pp, Axis::dp, Axis::cp, Axis::tp};
constexpr std::array kExpert{Axis::pp, Axis::edp, Axis::ep, Axis::etp};
constexpr std::array kColumns{Axis::pp, Axis::dp, Axis::cp, Axis::tp, Axis::edp, Axis::ep, Axis::etp};

/// "dense mesh   pp 2 x dp 2 x cp 1 x tp 1   rank = tp + 1 (cp + 1 (dp + 2 pp))"
std::string mesh(const Layout& layout, std::string_view name, const std::array<Axis, 4>& axes) {
  std::string sizes;
  for (Axis axis : axes)
    sizes += fmt::format("{}{} {}", sizes.empty() ? "" : " x ", name_of(axis), layout.size(axis));
  const auto [slowest, third, second, fastest] = axes;
  return fmt::format("{:12} {:36} rank = {} + {} ({} + {} ({} + {} {}))\n", name, sizes, name_of(fastest),
                     layout.size(fastest), name_of(second), layout.size(second), name_of(third),
                     layout.size(third), name_of(slowest));
}

std::string coordinates(const Layout& layout) {
  std::string text = "  rank";
  for (Axis axis : kColumns) text += fmt::format(" {:>5}", name_of(axis));
  for (int64_t rank = 0; rank < layout.world(); ++rank) {
    text += fmt::format("\n{:>6}", rank);
    for (Axis axis : kColumns) text += fmt::format(" {:>5}", layout.coordinate(base::Rank(rank), axis));
  }
  return text + "\n";
}

/// Each group once, in order of its lowest rank.
std::string groups(const Layout& layout, Axis axis) {
  std::string text = fmt::format("{:>6}", name_of(axis));
  std::vector<bool> named(static_cast<size_t>(layout.world()), false);
  for (int64_t rank = 0; rank < layout.world(); ++rank) {
    if (named[static_cast<size_t>(rank)]) continue;
    std::vector<int64_t> ranks;
    for (base::Rank member : layout.group(base::Rank(rank), {axis})) {
      ranks.push_back(member.value);
      named[static_cast<size_t>(member.value)] = true;
    }
    text += fmt::format(" [{}]", fmt::join(ranks, " "));
  }
  return text + "\n";
}

std::string chunks(const Layout& layout, int64_t layers) {
  std::string text = " chunk stage layers\n";
  for (int64_t chunk = 0; chunk < layout.chunks(); ++chunk) {
    const Layout::Span span = layout.layers_of(base::Chunk(chunk), layers);
    std::string which = fmt::format("{} to {}", span.first, span.last - 1);
    if (span.last - span.first < 2) which = span.first == span.last ? "none" : std::to_string(span.first);
    text += fmt::format("{:>6} {:>5} {}\n", chunk, layout.stage_of(base::Chunk(chunk)).value, which);
  }
  return text;
}

}  // namespace

std::string to_text(const Layout& layout, int64_t layers) {
  std::string text = fmt::format("layout {}: {} {}\n\n", layout.name(), layout.world(),
                                 layout.world() == 1 ? "rank" : "ranks");
  text += mesh(layout, "dense mesh", kDense) + mesh(layout, "expert mesh", kExpert);
  text += "\nCoordinates\n" + coordinates(layout);
  text += "\nGroups, of each axis with more than one rank\n";
  for (Axis axis : kColumns)
    if (layout.size(axis) > 1) text += groups(layout, axis);
  if (layout.world() == 1) text += "  none\n";
  return text + "\nLayers of each chunk\n" + chunks(layout, layers);
}

}  // namespace pleat::layout
