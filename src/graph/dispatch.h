// SPDX-License-Identifier: Apache-2.0
// Where dense and expert placements meet: token rows go to their experts (dispatch) and come back (combine).
// Dropless: the buffers hold the worst case, counts say how many rows there are.
#pragma once
#include "graph/builder.h"

namespace pleat::graph {

class Vjp;

/// Rows sorted by expert, on the ranks that hold the experts.
struct Dispatched {
  ValueId rows;         // [R,D], expert mesh
  ValueId counts;       // [EP,E]: rows per source rank and expert of this rank, expert mesh
  ValueId sent;         // [T,K]: where each token's rows stand in this rank's send buffer
  ValueId all;          // every source's counts
  int64_t buffer = 0;   // global rows of the send buffer
  double balanced = 0;  // local expert rows when the router is balanced
};

/// x [T,D], indices [T,K] on the dense mesh. Expert segments start at multiples of `tile` rows.
Dispatched dispatch(Builder& builder, ValueId x, ValueId indices, int64_t experts, int64_t tile);

/// y [R,D] on the expert mesh -> out [T,D] on the dense mesh, weighted by weights [T,K].
ValueId combine(Builder& builder, const Dispatched& dispatched, ValueId y, ValueId weights);

void exchange_vjp(Vjp& vjp);

}  // namespace pleat::graph
