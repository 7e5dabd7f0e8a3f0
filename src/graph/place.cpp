// SPDX-License-Identifier: Apache-2.0
#include "graph/place.h"

#include "base/errors.h"
#include "graph/facts.h"

namespace pleat::graph {
namespace {

using layout::Axis;
using layout::Placement;
using Kind = layout::Placement::Kind;

/// Over one axis: the operation that leads from one placement to another.
struct Move {
  Op op;
  Placement from, to;
};

/// What exists. Gathers and scatters join and cut dim 0, so that parts are contiguous.
bool find_move(Placement from, Placement to, Op& op) {
  if (from.kind == Kind::replicated && to.kind == Kind::shared) return op = Op::share, true;
  if (from.kind == Kind::shared && to.kind == Kind::replicated)
    return op = Op::share, true;  // of a cotangent: a view
  if (from.kind == Kind::replicated && to.kind == Kind::sharded) return op = Op::slice, true;
  if (from == Placement::sharded(0) && (to.kind == Kind::shared || to.kind == Kind::replicated))
    return op = Op::all_gather, true;
  if (from.kind == Kind::partial && (to.kind == Kind::replicated || to.kind == Kind::shared))
    return op = Op::all_reduce, true;
  if (from.kind == Kind::partial && to == Placement::sharded(0)) return op = Op::reduce_scatter, true;
  return false;
}

ValueId move(Builder& b, ValueId value, Axis axis, Placement to) {
  const ValueType type = b[value].type;
  const Placement from = type.placements[axis];
  Op op;
  if (!find_move(from, to, op))
    base::fail<base::JobError>("no operation leads from {} to {} over axis {}", layout::to_string(from),
                               layout::to_string(to), layout::name_of(axis));
  Attributes attributes;
  if (op == Op::slice) attributes = {{"dim", int64_t{to.dim}}};
  return b.apply_placed(op, attributes, {value}, {{type.dtype, type.shape, type.placements.with(axis, to)}},
                        {axis})[0];
}

}  // namespace

ValueId place(Builder& b, ValueId value, const layout::Placements& wanted) {
  if (b[value].type.placements.mesh() != wanted.mesh())
    base::fail<base::JobError>(
        "a value of one mesh cannot be placed on the other; dispatch moves expert rows");
  for (Axis axis : layout::axes_of(wanted.mesh()))
    if (b.layout().size(axis) > 1 && b[value].type.placements[axis] != wanted[axis])
      value = move(b, value, axis, wanted[axis]);
  return value;
}

void place_vjp(Vjp& v) {
  layout::Placements wanted = v.build()[v.operand(0)].type.placements;
  for (Axis axis : layout::axes_of(wanted.mesh()))
    wanted = wanted.with(axis, layout::cotangent(wanted[axis]));
  v.give(0, place(v.build(), v.cotangent(0), wanted));
}

}  // namespace pleat::graph
