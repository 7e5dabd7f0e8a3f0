// SPDX-License-Identifier: Apache-2.0
// reshape, split, concat: other ways to see the same bytes; no instruction of their own.
#include "graph/ops/ops.h"

namespace pleat::graph {
namespace {

base::Shape shape_of(const Attributes& attributes) {
  std::vector<int64_t> dims;
  while (attributes.has(fmt::format("dim{}", dims.size())))
    dims.push_back(attributes.integer(fmt::format("dim{}", dims.size())));
  return base::Shape(dims);
}

std::vector<Plain> reshape_results(const Context& c) {
  const base::Shape shape = shape_of(c.attributes);
  require(shape.elements() == c.operands[0].shape.elements(), Op::reshape, "{} has other elements than {}",
          base::to_string(shape), base::to_string(c.operands[0].shape));
  return {{c.operands[0].dtype, shape}};
}

std::vector<Pattern> reshape_patterns(const Context& c) {
  const base::Shape& from = c.operands[0].shape;
  const base::Shape to = shape_of(c.attributes);
  std::vector<Pattern> patterns{pattern("s0 > s0")};
  if (from.dims() > 1 && to.dims() > 1 && from[0] == to[0]) patterns.push_back(pattern("s1 > s1"));
  return patterns;
}

void reshape_vjp(Vjp& v) {
  v.give(0, reshape(v.build(), v.cotangent(0), v.build()[v.operand(0)].type.shape));
}

std::vector<Plain> split_results(const Context& c) {
  require_dims(c, Op::split, 0, 2);
  std::vector<Plain> parts;
  int64_t columns = 0;
  while (c.attributes.has(fmt::format("columns{}", parts.size()))) {
    const int64_t width = c.attributes.integer(fmt::format("columns{}", parts.size()));
    parts.push_back({c.operands[0].dtype, {c.operands[0].shape[0], width}});
    columns += width;
  }
  require(columns == c.operands[0].shape[1], Op::split, "parts add up to {} columns of {}", columns,
          c.operands[0].shape[1]);
  return parts;
}

std::vector<Pattern> split_patterns(const Context& c) {
  const auto rows = layout::Placement::sharded(0);
  return {{{rows}, std::vector(split_results(c).size(), rows)}};
}

void split_vjp(Vjp& v) {
  std::vector<ValueId> parts;
  for (int i = 0; v.attributes().has(fmt::format("columns{}", i)); ++i) parts.push_back(v.cotangent(i));
  v.give(0, concat(v.build(), parts));
}

std::vector<Plain> concat_results(const Context& c) {
  int64_t columns = 0;
  for (size_t i = 0; i < c.operands.size(); ++i) {
    require_dims(c, Op::concat, static_cast<int>(i), 2);
    require(c.operands[i].shape[0] == c.operands[0].shape[0], Op::concat,
            "operand {} has {} rows, expected {}", i, c.operands[i].shape[0], c.operands[0].shape[0]);
    columns += c.operands[i].shape[1];
  }
  return {{c.operands[0].dtype, {c.operands[0].shape[0], columns}}};
}

std::vector<Pattern> concat_patterns(const Context& c) {
  const auto rows = layout::Placement::sharded(0);
  return {{std::vector(c.operands.size(), rows), {rows}}};
}

void concat_vjp(Vjp& v) {
  std::vector<int64_t> columns;
  for (int i = 0; i < v.operands(); ++i) columns.push_back(v.build()[v.operand(i)].type.shape[1]);
  const std::vector<ValueId> parts = split(v.build(), v.cotangent(0), columns);
  for (int i = 0; i < v.operands(); ++i) v.give(i, parts[i]);
}

Cost free(const Signature&) {
  return {};
}

}  // namespace

const Facts kReshape{Op::reshape, reshape_results, reshape_patterns, {1}, reshape_vjp, free};
const Facts kSplit{Op::split, split_results, split_patterns, {1}, split_vjp, free};
/// Linear in all operands together; 15 parts are more than any block has.
const Facts kConcat{Op::concat, concat_results, concat_patterns, {0x7fff}, concat_vjp, free};

}  // namespace pleat::graph
