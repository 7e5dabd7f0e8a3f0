// SPDX-License-Identifier: Apache-2.0
// Numbers as they enter and leave a Program's ports: what every Ports of this folder does in the same way.
#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "config/job.h"
#include "data/sampler.h"
#include "program/program.h"

namespace pleat::train {

/// The part of a sample, or of several one after the other, that belongs into a port: tokens, targets,
/// positions, documents, loss_weights. CheckError for another port.
void copy_sample(const data::Sample& sample, std::string_view port, std::span<std::byte> bytes);
/// Every element the same.
void fill_floats(std::span<std::byte> bytes, base::DType dtype, double value);
/// A port of a training step that no sample fills: its scalars (docs/operations.md) and seeds. False for any
/// other. `step` is 0-based; `token_seed` is asked for its own port only.
bool fill_of_step(std::string_view port, std::span<std::byte> bytes, const config::Job& job, int64_t step,
                  const std::function<double()>& token_seed);

/// As doubles. CheckError for a dtype that is not floating.
std::vector<double> as_doubles(std::span<const std::byte> bytes, base::DType dtype);

/// The port of this name on a stage, among outputs and inputs; CheckError when there is none.
const program::Port& port_named(const program::Program& program, std::string_view name, base::Stage stage);

}  // namespace pleat::train
