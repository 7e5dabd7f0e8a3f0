// SPDX-License-Identifier: Apache-2.0
#include "graph/dispatch.h"

#include <algorithm>

#include "base/errors.h"
#include "graph/facts.h"

namespace pleat::graph {
namespace {

using layout::Axis;
using layout::MeshKind;
using layout::Placement;
using layout::Placements;

/// Over etp the rows are shared, as over tp: their products with shared weights may differ by rank.
Placements expert_rows() {
  return Placements(MeshKind::expert)
      .with(Axis::edp, Placement::sharded(0))
      .with(Axis::ep, Placement::sharded(0))
      .with(Axis::etp, Placement::shared());
}

/// Worst case of expert rows when `rows` rows are spread over `experts` segments that start at multiples of
/// `tile`.
int64_t bound(int64_t rows, int64_t experts, int64_t tile) {
  return rows + std::min(experts, rows) * (tile - 1);
}

ValueId exchange(Builder& b, ValueId x, ValueId all, const Attributes& attributes, const ValueType& result) {
  return b.apply_placed(Op::exchange, attributes, {x, all}, {result}, {Axis::ep})[0];
}

}  // namespace

Dispatched dispatch(Builder& b, ValueId x, ValueId indices, int64_t experts, int64_t tile) {
  const layout::Layout& l = b.layout();
  const int64_t dp = l.size(Axis::dp), ep = l.size(Axis::ep), edp = l.size(Axis::edp);
  if (experts % ep != 0)
    base::fail<base::JobError>("axis ep of size {} does not divide {} experts", ep, experts);
  const base::Shape picks = b[indices].type.shape;
  const int64_t width = b[x].type.shape[1], local_tokens = picks[0] / dp, local_experts = experts / ep;
  Dispatched d;
  d.buffer = dp * bound(local_tokens * picks[1], experts, tile);
  d.balanced = static_cast<double>(local_tokens * picks[1]);
  const int64_t received = bound(ep * local_tokens * std::min(picks[1], local_experts), local_experts, tile);

  const Attributes routing{{"experts", experts}, {"tile", tile}, {"sources", dp}};
  const std::vector<ValueId> route = b.apply(Op::route, routing, {indices});
  d.sent = route[0];
  const ValueId permuted = b.apply_one(Op::permute, {{"rows", d.buffer}}, {x, d.sent});

  const auto counts_type = [&](Placement over_ep) {
    const Placements placements = expert_rows().with(Axis::ep, over_ep);
    return ValueType{base::DType::i32, {edp * ep, experts}, placements};
  };
  d.all = b.apply_placed(Op::all_gather, {}, {route[1]}, {counts_type(Placement::shared())}, {Axis::ep})[0];
  d.counts =
      b.apply_placed(Op::expert_counts, {}, {d.all}, {counts_type(Placement::sharded(1))}, {Axis::ep})[0];
  const Attributes forward{{"experts", experts}, {"tile", tile}, {"inverse", int64_t{0}}};
  d.rows =
      exchange(b, permuted, d.all, forward, {b[x].type.dtype, {edp * ep * received, width}, expert_rows()});
  return d;
}

ValueId combine(Builder& b, const Dispatched& d, ValueId y, ValueId weights) {
  Attributes back = b.graph()[b[d.rows].producer].attributes;
  back.set("inverse", int64_t{1});
  const ValueType type{b[y].type.dtype, {d.buffer, b[y].type.shape[1]}, b[d.sent].type.placements};
  const ValueId returned = exchange(b, y, d.all, back, type);
  return b.apply_one(Op::combine, {}, {returned, d.sent, weights});
}

void exchange_vjp(Vjp& v) {
  Attributes turned = v.attributes();
  turned.set("inverse", 1 - turned.integer("inverse"));
  ValueType type = v.build()[v.operand(0)].type;
  for (Axis axis : layout::axes_of(type.placements.mesh()))
    type.placements = type.placements.with(axis, layout::cotangent(type.placements[axis]));
  v.give(0, exchange(v.build(), v.cotangent(0), v.operand(1), turned, type));
}

}  // namespace pleat::graph
