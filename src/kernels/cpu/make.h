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

inline bool accumulates(const Signature& signature, int result) { return (signature.accumulates >> result) & 1u; }

// products
KernelPtr make_matmul(const Signature& signature, int team_size);
int64_t matmul_workspace(const Signature& signature, int team_size);
KernelPtr make_grouped_matmul(const Signature& signature, int team_size);
int64_t grouped_matmul_workspace(const Signature& signature, int team_size);
KernelPtr make_grouped_outer(const Signature& signature, int team_size);
int64_t grouped_outer_workspace(const Signature& signature, int team_size);

}  // namespace pleat::kernels::cpu
