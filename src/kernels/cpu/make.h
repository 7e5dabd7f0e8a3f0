// SPDX-License-Identifier: Apache-2.0
// What each family of kernels gives to the table in cpu.cpp.
#pragma once
#include <memory>
#include <utility>

#include "graph/signature.h"
#include "kernels/kernel.h"

namespace pleat::kernels::cpu {

using graph::Signature;
using KernelPtr = std::unique_ptr<Kernel>;

/// A kernel from a function (const Call&, Team&) that holds all that bind() worked out.
template <class Run>
KernelPtr make_kernel(Run run) {
  class Bound final : public Kernel {
   public:
    explicit Bound(Run body) : body_(std::move(body)) {}
    void run(const Call& call, Team& team) const override { body_(call, team); }

   private:
    Run body_;
  };
  return std::make_unique<Bound>(std::move(run));
}

inline bool accumulates(const Signature& signature, int result) {
  return (signature.accumulates >> result) & 1u;
}

/// One per operation; signatures come checked by their dtypes only.
using Make = KernelPtr(const Signature& signature, int team_size);
Make make_matmul, make_grouped_matmul, make_grouped_outer, make_cast, make_scale, make_add, make_add_bias,
    make_column_sum, make_token_sum, make_sum_squares, make_embedding, make_embedding_grad, make_rms_norm,
    make_rms_norm_grad, make_rope, make_swiglu, make_swiglu_grad, make_cross_entropy, make_cross_entropy_grad,
    make_attention, make_attention_grad, make_router, make_router_grad, make_router_sums,
    make_router_sums_grad, make_route, make_permute, make_unpermute, make_combine, make_combine_grad,
    make_adamw;
/// Bytes of workspace, for those that want any.
using Workspace = int64_t(const Signature& signature, int team_size);
Workspace matmul_workspace, grouped_matmul_workspace, grouped_outer_workspace, column_sum_workspace,
    sum_squares_workspace, embedding_grad_workspace, rms_norm_grad_workspace, attention_workspace,
    attention_grad_workspace, router_sums_workspace, route_workspace;

/// to = (add ? to : 0) + the sum of `blocks` rows of `width` numbers, in order.
void add_up_blocks(Team& team, const float* sums, int64_t blocks, int64_t width, float* to, bool add);

}  // namespace pleat::kernels::cpu
