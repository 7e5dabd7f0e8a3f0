// SPDX-License-Identifier: Apache-2.0
// The order of the gradient's per-tensor sums of squares: the same for every layout, so that the norm is.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "config/model_config.h"

namespace pleat::compile {

/// Parameters of the dense mesh by name, one sum each; then the experts' by name, one sum per expert.
struct SquaresRange {
  std::string parameter;
  bool experts = false;
  int64_t first = 0;
  int64_t count = 1;
};
std::vector<SquaresRange> squares_ranges(const config::ModelConfig& model);

/// What the sum at `index` is of: "model.norm.weight", "model.layers.0.mlp.experts.down_proj[3]".
std::string squares_name(const config::ModelConfig& model, int64_t index);

}  // namespace pleat::compile
