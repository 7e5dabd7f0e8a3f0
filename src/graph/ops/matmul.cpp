// SPDX-License-Identifier: Apache-2.0
// matmul, closed under differentiation: y = op(a) op(b).
#include "graph/ops/ops.h"

namespace pleat::graph {
namespace {

struct Dims {  // which dim of a and b is which
  int a_rows, a_inner, b_inner, b_columns;
};
Dims dims_of(const Attributes& attributes) {
  const bool ta = attributes.integer("transpose_a") != 0, tb = attributes.integer("transpose_b") != 0;
  return {ta ? 1 : 0, ta ? 0 : 1, tb ? 1 : 0, tb ? 0 : 1};
}

std::vector<Plain> results(const Context& c) {
  require_dims(c, Op::matmul, 0, 2), require_dims(c, Op::matmul, 1, 2);
  const Dims d = dims_of(c.attributes);
  const base::Shape &a = c.operands[0].shape, &b = c.operands[1].shape;
  require(a[d.a_inner] == b[d.b_inner], Op::matmul, "inner dims {} and {} differ", a[d.a_inner],
          b[d.b_inner]);
  return {{base::dtype_named(c.attributes.word("to")), {a[d.a_rows], b[d.b_columns]}}};
}

std::vector<Pattern> patterns(const Context& c) {
  using layout::Placement;
  const Dims d = dims_of(c.attributes);
  return {{{Placement::sharded(d.a_rows), Placement::shared()}, {Placement::sharded(0)}},
          {{Placement::shared(), Placement::sharded(d.b_columns)}, {Placement::sharded(1)}},
          {{Placement::sharded(d.a_inner), Placement::sharded(d.b_inner)}, {Placement::partial()}}};
}

void vjp(Vjp& v) {
  Builder& b = v.build();
  const bool ta = v.attributes().integer("transpose_a") != 0, tb = v.attributes().integer("transpose_b") != 0;
  const ValueId x = v.operand(0), w = v.operand(1), dy = v.cotangent(0);
  // Products are fast with operands of one dtype. Where x and w differ, the product was done in the exact
  // one, and so are its gradients.
  const bool one_dtype = b[x].type.dtype == b[w].type.dtype;
  const ValueId g = one_dtype ? cast(b, dy, b[x].type.dtype) : dy;
  if (v.wanted(0)) {
    v.give(0, ta ? matmul(b, w, g, tb, true, v.dtype(0)) : matmul(b, g, w, false, !tb, v.dtype(0)));
  }
  if (v.wanted(1)) {
    v.give(1, tb ? matmul(b, g, x, true, ta, v.dtype(1)) : matmul(b, x, g, !ta, false, v.dtype(1)));
  }
}

Cost cost(const Signature& s) {
  Cost result = streaming_cost(s);
  const Dims d = dims_of(s.attributes);
  result.flops = 2.0 * static_cast<double>(s.writes[0].shape.elements() * s.reads[0].shape[d.a_inner]);
  return result;
}

}  // namespace

const Facts kMatmul{Op::matmul, results, patterns, {1, 2}, vjp, cost};

}  // namespace pleat::graph
