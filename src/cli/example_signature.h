// SPDX-License-Identifier: Apache-2.0
// From the words of `pleat explain` to an instruction's signature: one row per operation says how its shape
// is written and which operands and attributes that means.
#pragma once
#include <string>
#include <string_view>

#include "graph/signature.h"

namespace pleat::cli {

/// "matmul", bf16, "4096x7168x2048". JobError for an operation without kernels and for another shape.
graph::Signature example_signature(std::string_view operation, base::DType dtype, std::string_view shape);

/// A line per operation: its name, its shape in letters.
std::string example_shapes();

}  // namespace pleat::cli
