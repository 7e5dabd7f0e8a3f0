// SPDX-License-Identifier: Apache-2.0
// A rank's flat instruction list: the expansion of its instances, with absolute offsets, events and ranks.
#pragma once
#include <string>

#include "program/program.h"

namespace pleat::cli {

std::string listing(const program::Program& program, base::Rank rank);

}  // namespace pleat::cli
