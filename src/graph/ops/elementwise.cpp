// SPDX-License-Identifier: Apache-2.0
// cast, add, scale: element by element; any dim may be sharded.
#include "graph/ops/ops.h"

namespace pleat::graph {
namespace {

std::vector<Pattern> any_dim(const Context& c) {
  std::vector<Pattern> patterns;
  for (int dim = 0; dim < c.operands[0].shape.dims(); ++dim) {
    const auto sharded = layout::Placement::sharded(dim);
    patterns.push_back({std::vector(c.operands.size(), sharded), {sharded}});
  }
  return patterns;
}

std::vector<Plain> same(const Context& c) {
  return {c.operands[0]};
}

std::vector<Plain> cast_results(const Context& c) {
  return {{base::dtype_named(c.attributes.word("to")), c.operands[0].shape}};
}

std::vector<Plain> add_results(const Context& c) {
  require(c.operands[0].shape == c.operands[1].shape && c.operands[0].dtype == c.operands[1].dtype, Op::add,
          "operands {} {} and {} {} differ", base::name_of(c.operands[0].dtype),
          base::to_string(c.operands[0].shape), base::name_of(c.operands[1].dtype),
          base::to_string(c.operands[1].shape));
  return {c.operands[0]};
}

void cast_vjp(Vjp& v) {
  v.give(0, cast(v.build(), v.cotangent(0), v.dtype(0)));
}
void add_vjp(Vjp& v) {
  v.give(0, v.cotangent(0));
  v.give(1, v.cotangent(0));
}
void scale_vjp(Vjp& v) {
  v.give(0, v.build().apply_one(Op::scale, v.attributes(), {v.cotangent(0)}));
}

}  // namespace

const Facts kCast{Op::cast, cast_results, any_dim, {1}, cast_vjp, streaming_cost};
const Facts kAdd{Op::add, add_results, any_dim, {3}, add_vjp, streaming_cost};
const Facts kScale{Op::scale, same, any_dim, {1}, scale_vjp, streaming_cost};

}  // namespace pleat::graph
