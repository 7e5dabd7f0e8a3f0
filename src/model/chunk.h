// SPDX-License-Identifier: Apache-2.0
// One chunk of a model as a forward graph: the layers of one virtual stage for one micro-batch, plus the
// embedding in the first chunk and head and loss in the last. Blocks are written once, forward only, over
// graph::Builder.
#pragma once
#include <functional>

#include "config/model_config.h"
#include "graph/graph.h"
#include "layout/layout.h"

namespace pleat::model {

/// Over which tokens the auxiliary router terms are pooled (over all layers in both cases, as Hugging Face
/// does).
enum class AuxiliaryScope : uint8_t { micro_batch, all_ranks };

struct ChunkRequest {
  const config::ModelConfig& config;
  layout::Layout layout;
  base::Chunk chunk;
  base::DType activation = base::DType::f32;
  base::DType exact = base::DType::f32;
  int64_t micro_batch = 1;  // samples per data-parallel rank
  int64_t sequence = 1;
  AuxiliaryScope scope = AuxiliaryScope::micro_batch;
  bool loss = true;                                          // false: generation, logits only
  std::function<std::string(std::string_view key)> where{};  // of a key of the job, for errors

  int64_t tokens() const { return micro_batch * sequence * layout.size(layout::Axis::dp); }
  bool first() const { return chunk.value == 0; }
  bool last() const { return chunk.value + 1 == layout.chunks(); }
};

/// Expert segments start at multiples of this many rows.
inline constexpr int64_t kExpertTile = 16;

/// Inputs: tokens, targets, positions, documents [T] i32, loss_weights [T] f32 as far as the chunk uses them;
/// the boundary under "in.<name>". Outputs: the boundary ("hidden" [T,D]; after the first expert layer also
/// the running router sums "counts", "sums" [G,E] and "squares" [G]), or in the last chunk "logits" [T,V],
/// "loss" [T], "balance_loss" and "z_loss" [G]; and "metric.<name>", sums that accumulate over micro-batches.
/// JobError when a dim does not divide or an axis has no operations yet.
graph::Graph build_chunk(const ChunkRequest& request);

}  // namespace pleat::model
