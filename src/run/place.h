// SPDX-License-Identifier: Apache-2.0
// Where in a Program something happened, in words; every error of run ends with it.
#pragma once
#include <exception>
#include <string>

#include "program/program.h"

namespace pleat::run {

/// "rank 2, forward 1, micro-batch 0, instruction 3: compute matmul ..."
std::string place_of(const program::Program& program, base::Rank rank, const program::Instance& instance,
                     int instruction);

/// Throws an error of the same kind whose text goes on with the place.
[[noreturn]] void rethrow_at(const std::string& place, const std::exception& error);

}  // namespace pleat::run
