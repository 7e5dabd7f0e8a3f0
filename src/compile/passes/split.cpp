// SPDX-License-Identifier: Apache-2.0
// split: products whose results reach only gradient accumulations become phase W; the head's stays in B.
#include "compile/draft.h"
#include "graph/differentiate.h"

namespace pleat::compile {

Draft split(Draft draft) {
  const std::string head =
      draft.request.model.tie_word_embeddings ? "model.embed_tokens.weight" : "lm_head.weight";
  for (StageDraft& stage : draft.stages)
    stage.graph = graph::split_weight_gradients(std::move(stage.graph), {head});
  return draft;
}

}  // namespace pleat::compile
