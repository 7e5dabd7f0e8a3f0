// SPDX-License-Identifier: Apache-2.0
#include "layout/axis.h"

#include <algorithm>

#include "base/errors.h"

namespace pleat::layout {

Axis axis_named(std::string_view name) {
  const auto found = std::find(kAxisNames.begin(), kAxisNames.end(), name);
  if (found != kAxisNames.end()) return static_cast<Axis>(found - kAxisNames.begin());
  base::fail<base::JobError>("unknown axis '{}': choose one of {}", name, fmt::join(kAxisNames, ", "));
}

std::string to_string(AxisSet axes) {
  std::string text;
  for (Axis axis : kAllAxes)
    if (axes.has(axis)) text += (text.empty() ? "" : "+") + std::string(name_of(axis));
  return text.empty() ? "none" : text;
}

AxisSet axes_named(std::string_view text) {
  AxisSet axes;
  if (text == "none") return axes;
  while (true) {
    const size_t plus = text.find('+');
    axes.add(axis_named(text.substr(0, plus)));
    if (plus == std::string_view::npos) return axes;
    text.remove_prefix(plus + 1);
  }
}

}  // namespace pleat::layout
