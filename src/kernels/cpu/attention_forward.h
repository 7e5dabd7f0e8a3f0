// SPDX-License-Identifier: Apache-2.0
// The state of 32 queries on their way through the keys.
#pragma once
#include <cstddef>

namespace pleat::kernels::cpu {

struct ForwardBlock {
  float* scores = nullptr;       // [kKeyChunk][32]
  std::byte* weights = nullptr;  // the chunk's weights as a panel
  float* mixed = nullptr;        // [n][32], values weighed and summed so far
  float* turned = nullptr;       // [32][n], for storing
  float* top = nullptr;          // [32], largest score so far
  float* sum = nullptr;          // [32], of the weights so far
  float scale = 1;
};

struct ForwardScratch {
  std::byte* keys = nullptr;     // rows, where they cannot be read in place
  std::byte* values = nullptr;   // turned: [n][keys]
  std::byte* queries = nullptr;  // a panel
  ForwardBlock block;
};

}  // namespace pleat::kernels::cpu
