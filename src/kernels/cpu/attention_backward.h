// SPDX-License-Identifier: Apache-2.0
// The state of 32 queries on their way back through the keys.
#pragma once
#include <cstddef>

namespace pleat::kernels::cpu {

struct BackwardBlock {
  float* scores = nullptr;       // [kKeyChunk][32], then of no more use
  float* dweights = nullptr;     // [kKeyChunk][32]: do . v
  std::byte* weights = nullptr;  // rows [kKeyChunk][32] in the product's form
  std::byte* dscores = nullptr;  // rows [kKeyChunk][32]
  std::byte* dscores_panel = nullptr;
  float* dq = nullptr;      // [n][32]
  float* turned = nullptr;  // [32][n], for storing
  float* lse = nullptr;     // [32], +inf beyond the queries, so that their weights are 0
  float* along = nullptr;   // [32], do . o
  float scale = 1;
};

struct BackwardScratch {
  std::byte* keys = nullptr;         // rows, where they cannot be read in place
  std::byte* values = nullptr;       // rows, where they cannot be read in place
  std::byte* keys_turned = nullptr;  // [n][keys]
  std::byte* q_turned = nullptr;     // panel: depth n, 32 queries
  std::byte* do_turned = nullptr;    // panel: depth n, 32 queries
  std::byte* q = nullptr;            // panels: depth 32 queries, n columns
  std::byte* dout = nullptr;         // panels: depth 32 queries, n columns
  float* dk = nullptr;               // [S][n], sums over queries and heads
  float* dv = nullptr;               // [S][n]
  BackwardBlock block;
};

}  // namespace pleat::kernels::cpu
