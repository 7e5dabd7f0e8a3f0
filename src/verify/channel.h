// SPDX-License-Identifier: Apache-2.0
// Channels as verify sees them: between stages, since all ranks of a stage have one list and their groups
// within the stage move in step.
#pragma once
#include <compare>
#include <string>
#include <vector>

#include "verify/flat.h"

namespace pleat::verify {

struct Channel {
  bool pair = false;
  layout::AxisSet axes;         // of a group: those of size above 1, without pp
  std::vector<int32_t> stages;  // source and destination of a pair; members of a group in order
  std::string purpose;
  auto operator<=>(const Channel&) const = default;
};

/// The channel of a communication of a list.
Channel channel_of(const layout::Layout& layout, int32_t stage, const Instruction& instruction);
std::string to_text(const Channel& channel);

}  // namespace pleat::verify
