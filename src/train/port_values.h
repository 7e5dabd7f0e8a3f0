// SPDX-License-Identifier: Apache-2.0
// Numbers as they leave a Program: in the dtype that the port's region says, read as doubles.
#pragma once
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "program/program.h"

namespace pleat::train {

/// CheckError for a dtype that is not floating.
std::vector<double> as_doubles(std::span<const std::byte> bytes, base::DType dtype);

/// The port of this name on a stage, among outputs and inputs; CheckError when there is none.
const program::Port& port_named(const program::Program& program, std::string_view name, base::Stage stage);

}  // namespace pleat::train
