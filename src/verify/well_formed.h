// SPDX-License-Identifier: Apache-2.0
// The parts of the first property, which must hold before any other can be looked at.
#pragma once
#include "verify/issues.h"

namespace pleat::verify {

void check_lists(const program::Program& program, Issues& issues);
void check_state(const program::Program& program, Issues& issues);
void check_ports(const program::Program& program, Issues& issues);

}  // namespace pleat::verify
