// SPDX-License-Identifier: Apache-2.0
// The reference kernels: plain loops with sums in double. They define what every operation means; the fast
// kernels are compared with them, and the catalogue ends with them.
#pragma once
#include <memory>

#include "graph/signature.h"
#include "kernels/kernel.h"

namespace pleat::kernels::ref {

/// False for views, communication and the ends of a step (load, emit).
bool computes(graph::Op op);

/// Throws CheckError unless the signature is one of its operation, whichever kernel is to serve it.
void check(const graph::Signature& signature);

/// Any checked signature, without workspace.
std::unique_ptr<Kernel> bind(const graph::Signature& signature);

}  // namespace pleat::kernels::ref
