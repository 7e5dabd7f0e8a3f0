// SPDX-License-Identifier: Apache-2.0
// The one function that chooses between nothing, share, slice, gather, reduce and scatter, and whose group.
#pragma once
#include "graph/builder.h"

namespace pleat::graph {

class Vjp;

/// The value with the wanted placements. JobError where no operation leads there.
ValueId place(Builder& builder, ValueId value, const layout::Placements& wanted);

/// The cotangent goes back the dual way: share and all_reduce, all_gather and reduce_scatter, slice and
/// gather.
void place_vjp(Vjp& vjp);

}  // namespace pleat::graph
