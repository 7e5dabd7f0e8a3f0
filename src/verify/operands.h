// SPDX-License-Identifier: Apache-2.0
// How many operands and results each operation has, and how the sizes of a communication belong together.
#pragma once
#include <string>

#include "program/program.h"

namespace pleat::verify {

/// Empty when the instruction has what its operation wants (docs/operations.md), else what is wrong.
std::string operand_problem(const layout::Layout& layout, const program::Instruction& instruction);

/// The port that a host instruction names; empty if it names none.
std::string port_of(const program::Instruction& instruction);

/// Ranks in the instruction's group.
int64_t members_of(const layout::Layout& layout, const program::Party& party);

}  // namespace pleat::verify
