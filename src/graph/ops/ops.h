// SPDX-License-Identifier: Apache-2.0
// The facts of every operation of the graph, one constant each, and what stating them has in common.
#pragma once
#include "base/errors.h"
#include "graph/facts.h"

namespace pleat::graph {

extern const Facts kReshape, kSplit, kConcat;
extern const Facts kCast, kAdd, kScale, kAddBias, kColumnSum, kTokenSum;
extern const Facts kEmbedding, kEmbeddingGrad, kRmsNorm, kRmsNormGrad, kMatmul, kRopeTable, kRope;
extern const Facts kAttention, kAttentionGrad, kSwiglu, kSwigluGrad, kCrossEntropy, kCrossEntropyGrad;
extern const Facts kRouter, kRouterGrad, kRouterSums, kRouterSumsGrad, kBalanceLoss, kBalanceLossGrad;
extern const Facts kRoute, kPermute, kUnpermute, kCombine, kCombineGrad;
extern const Facts kGroupedMatmul, kGroupedOuter, kExpertCounts;

/// JobError unless `holds`: "operation matmul: inner dims 4 and 5 differ".
template <class... Arguments>
void require(bool holds, Op op, fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  if (!holds)
    base::fail<base::JobError>("operation {}: {}", name_of(op),
                               fmt::format(text, std::forward<Arguments>(arguments)...));
}

inline void require_dims(const Context& context, Op op, int operand, int dims) {
  require(context.operands[operand].shape.dims() == dims, op, "operand {} has shape {}, expected {} dims",
          operand, base::to_string(context.operands[operand].shape), dims);
}

}  // namespace pleat::graph
