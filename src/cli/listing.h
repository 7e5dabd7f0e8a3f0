// SPDX-License-Identifier: Apache-2.0
// A rank's flat instruction list: the expansion of its instances, with absolute offsets, events and ranks.
#pragma once
#include <string>
#include <vector>

#include "program/program.h"

namespace pleat::cli {

struct Expanded {
  int32_t instance = 0;
  program::Instruction instruction;  // as this instance means it
  std::vector<program::Wait> waits;  // the instance's own, before its first instruction on a queue
};
std::vector<Expanded> expand(const program::Program& program, base::Rank rank);

/// As text, a line per instruction.
std::string listing(const program::Program& program, base::Rank rank);

}  // namespace pleat::cli
