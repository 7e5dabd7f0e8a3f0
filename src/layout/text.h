// SPDX-License-Identifier: Apache-2.0
// A Layout as a user reads it: both meshes, every rank's coordinates, who shares a group, which layers are
// where. For people; nothing reads it back.
#pragma once
#include <string>

#include "layout/layout.h"

namespace pleat::layout {

/// `layers`: of the model, spread over the chunks.
std::string to_text(const Layout& layout, int64_t layers);

}  // namespace pleat::layout
