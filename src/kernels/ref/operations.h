// SPDX-License-Identifier: Apache-2.0
// The factories of the reference kernels, one file per operation or forward and backward pair. Signatures
// come checked.
#pragma once
#include <memory>

#include "kernels/kernel.h"

namespace pleat::kernels::ref {

using graph::Signature;
using Factory = std::unique_ptr<Kernel>(const Signature&);

Factory cast, add, scale, add_bias, column_sum, token_sum, slice;
Factory embedding, embedding_grad, rms_norm, rms_norm_grad, matmul, rope_table, rope;
Factory attention, attention_grad, swiglu, swiglu_grad, cross_entropy, cross_entropy_grad;
Factory router, router_grad, router_sums, router_sums_grad, balance_loss, balance_loss_grad;
Factory route, permute, unpermute, combine, combine_grad, grouped_matmul, grouped_outer, expert_counts;
Factory zero, sum_squares, clip, adamw;

}  // namespace pleat::kernels::ref
