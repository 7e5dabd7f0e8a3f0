// SPDX-License-Identifier: Apache-2.0
#include "cases.h"

#include <fmt/format.h>

#include <random>

#include "graph/builder.h"

namespace pleat::graph::testing {
namespace {

using base::DType;

Operand x(std::initializer_list<int64_t> dims) {
  return {Fill::normal, base::Shape(dims)};
}
Operand constant(std::initializer_list<int64_t> dims) {
  return {Fill::constant, base::Shape(dims)};
}

Attributes with(Attributes attributes, std::string_view name, int64_t value) {
  attributes.set(name, value);
  return attributes;
}
Attributes product(int64_t a, int64_t b) {
  return {{"transpose_a", a}, {"transpose_b", b}, {"to", std::string("f64")}};
}

void add_rows(std::vector<Case>& all, const Sizes& s) {
  const auto [T, D, N] = std::tuple(s.T, s.D, s.N);
  const std::vector<Case> rows{
      {"reshape", Op::reshape, {{"dim0", T}, {"dim1", s.G}, {"dim2", N}}, {x({T, s.G * N})}, {0}},
      {"split", Op::split, {{"columns0", D}, {"columns1", N}}, {x({T, D + N})}, {0, 1}},
      {"concat", Op::concat, {}, {x({T, D}), x({T, N})}, {0}},
      {"cast", Op::cast, {{"to", std::string("f64")}}, {x({T, D})}, {0}},
      {"add", Op::add, {}, {x({T, D}), x({T, D})}, {0}},
      {"scale", Op::scale, {{"factor", 0.3}}, {x({T, D})}, {0}},
      {"add_bias", Op::add_bias, {}, {x({T, D}), x({D})}, {0}},
      {"column_sum", Op::column_sum, {}, {x({T, D})}, {}},
      {"token_sum", Op::token_sum, {}, {x({T})}, {}},
  };
  all.insert(all.end(), rows.begin(), rows.end());
}

void add_dense(std::vector<Case>& all, const Sizes& s) {
  const auto [T, D, H, G, N, V] = std::tuple(s.T, s.D, s.H, s.G, s.N, s.V);
  const Operand tokens{Fill::token, {T}}, positions{Fill::position, {T}}, weights{Fill::weight, {T}};
  const Attributes eps{{"eps", 0.01}};
  const std::vector<Case> dense{
      {"embedding", Op::embedding, {}, {x({V, D}), tokens}, {0}},
      {"embedding_grad", Op::embedding_grad, {{"vocabulary", V}}, {tokens, x({T, D})}, {}},
      {"rms_norm", Op::rms_norm, eps, {x({T, D}), x({D})}, {0}},
      {"rms_norm_heads", Op::rms_norm, eps, {x({T, H, N}), x({N})}, {0}},
      {"rms_norm_grad", Op::rms_norm_grad, eps, {x({T, D}), x({D}), x({T}), x({T, D})}, {}},
      {"rms_norm_grad_heads", Op::rms_norm_grad, eps, {x({T, H, N}), x({N}), x({T, H}), x({T, H, N})}, {}},
      {"matmul", Op::matmul, product(0, 0), {x({T, D}), x({D, V})}, {0}},
      {"matmul_ta", Op::matmul, product(1, 0), {x({D, T}), x({D, V})}, {0}},
      {"matmul_tb", Op::matmul, product(0, 1), {x({T, D}), x({V, D})}, {0}},
      {"matmul_ta_tb", Op::matmul, product(1, 1), {x({D, T}), x({V, D})}, {0}},
      {"rope_table",
       Op::rope_table,
       {{"sequence", s.S},
        {"width", N},
        {"theta", 10000.0},
        {"type", std::string("default")},
        {"factor", 1.0},
        {"attention_factor", 1.0},
        {"low_freq_factor", 1.0},
        {"high_freq_factor", 4.0},
        {"original_max_position_embeddings", int64_t{0}},
        {"beta_fast", 32.0},
        {"beta_slow", 1.0},
        {"truncate", int64_t{1}}},
       {},
       {}},
      {"rope", Op::rope, {{"inverse", int64_t{0}}}, {x({T, H, N}), positions, constant({s.S, N})}, {0}},
      {"swiglu", Op::swiglu, {}, {x({T, 2 * s.F})}, {0}},
      {"swiglu_grad", Op::swiglu_grad, {}, {x({T, 2 * s.F}), x({T, s.F})}, {}},
      {"cross_entropy", Op::cross_entropy, {}, {x({T, V}), tokens, weights}, {0}},
      {"cross_entropy_grad", Op::cross_entropy_grad, {}, {x({T, V}), tokens, weights, x({T}), x({T})}, {}},
  };
  all.insert(all.end(), dense.begin(), dense.end());
}

void add_attention(std::vector<Case>& all, const Sizes& s) {
  const Operand q = x({s.T, s.H, s.N}), k = x({s.T, s.G, s.N}), lse = x({s.T, s.H});
  const Operand one{Fill::zero, {s.T}}, several{Fill::document, {s.T}};
  const Attributes full{{"sequence", s.S}, {"window", int64_t{0}}, {"scale", 0.5}};
  const Attributes window = with(full, "window", 2);
  all.push_back({"attention", Op::attention, full, {q, k, k, one}, {0}});
  all.push_back({"attention_window", Op::attention, window, {q, k, k, one}, {0}});
  all.push_back({"attention_documents", Op::attention, full, {q, k, k, several}, {0}});
  all.push_back({"attention_grad", Op::attention_grad, full, {q, k, k, one, q, lse, q}, {}});
}

void add_router(std::vector<Case>& all, const Sizes& s) {
  const auto [T, E, K] = std::tuple(s.T, s.E, s.K);
  const Attributes router{{"top_k", K}, {"renormalise", int64_t{1}}};
  const Attributes rows{{"rows", int64_t{4}}};
  const Operand picks{Fill::pick, {T, K}}, weights = x({T, K}), probs = x({T, E});
  all.push_back({"router", Op::router, router, {probs}, {0, 1, 3}});
  all.push_back({"router_plain", Op::router, with(router, "renormalise", 0), {probs}, {0, 1, 3}});
  all.push_back(
      {"router_grad", Op::router_grad, router, {probs, weights, picks, weights, probs, x({T})}, {}});
  for (int64_t groups : {s.groups, int64_t{1}}) {
    const std::string suffix = groups == 1 ? "_pooled" : "";
    const Attributes forward{{"groups", groups}}, backward = with(forward, "experts", E);
    all.push_back({"router_sums" + suffix, Op::router_sums, forward, {probs, picks, x({T})}, {1, 2}});
    all.push_back({"router_sums_grad" + suffix,
                   Op::router_sums_grad,
                   backward,
                   {x({T}), x({groups, E}), x({groups})},
                   {}});
  }
  const Operand counts = constant({s.groups, E});
  all.push_back({"balance_loss", Op::balance_loss, rows, {counts, x({s.groups, E})}, {0}});
  all.push_back({"balance_loss_grad", Op::balance_loss_grad, rows, {counts, x({s.groups})}, {}});
}

void add_experts(std::vector<Case>& all, const Sizes& s) {
  const auto [T, D, E, K, F, R] = std::tuple(s.T, s.D, s.E, s.K, s.F, s.buffer_rows());
  const Attributes rows{{"tile", s.tile}, {"balanced", static_cast<double>(T * K)}};
  const Attributes buffer{{"rows", R}};
  const Attributes plain = with(rows, "transpose_b", 0), turned = with(rows, "transpose_b", 1);
  const Operand picks{Fill::pick, {T, K}}, to_rows{Fill::row, {T, K}}, counts{Fill::count, {s.P, E}};
  const std::vector<Case> experts{
      {"swiglu_rows", Op::swiglu, rows, {x({R, 2 * F}), counts}, {0}},
      {"swiglu_grad_rows", Op::swiglu_grad, rows, {x({R, 2 * F}), x({R, F}), counts}, {}},
      {"permute", Op::permute, buffer, {x({T, D}), to_rows}, {0}},
      {"unpermute", Op::unpermute, buffer, {x({R, D}), to_rows}, {0}},
      {"combine", Op::combine, {}, {x({R, D}), to_rows, x({T, K})}, {0}},
      {"combine_grad", Op::combine_grad, {}, {x({R, D}), to_rows, x({T, K}), x({T, D})}, {}},
      {"grouped_matmul", Op::grouped_matmul, turned, {x({R, D}), x({E, F, D}), counts}, {0}},
      {"grouped_matmul_turned", Op::grouped_matmul, plain, {x({R, D}), x({E, D, F}), counts}, {0}},
      {"grouped_outer", Op::grouped_outer, with(rows, "experts", E), {x({R, F}), x({R, D}), counts}, {}},
      {"route", Op::route, {{"experts", E}, {"tile", s.tile}, {"sources", s.P}}, {picks}, {}},
      {"expert_counts", Op::expert_counts, {{"index", int64_t{0}}, {"parts", int64_t{1}}}, {counts}, {}},
  };
  all.insert(all.end(), experts.begin(), experts.end());
}

double number(Fill fill, int64_t n, const Sizes& s) {
  switch (fill) {
    case Fill::token:
      return static_cast<double>(n * 5 % s.V);
    case Fill::position:
      return static_cast<double>(n % s.S);
    case Fill::document:
      return static_cast<double>(n % s.S * 2 / s.S);
    case Fill::pick:
      return static_cast<double>((n / s.K + n % s.K * (s.E - 1)) % s.E);
    case Fill::count:
      return static_cast<double>(s.count(n % s.E));
    case Fill::weight:
      return n % 3 == 0 ? 0.5 : n % 3 == 1 ? 1 : 0;
    case Fill::row: {
      const int64_t pair = n / s.block * s.block + (n * 5 + 2) % s.block;
      return static_cast<double>(s.expert_rows()[static_cast<size_t>(pair)]);
    }
    default:
      return 0;
  }
}

}  // namespace

std::vector<int64_t> Sizes::expert_rows() const {
  std::vector<int64_t> rows;
  int64_t start = 0;
  for (int64_t e = 0; e < E; ++e) {
    for (int64_t i = 0; i < P * count(e); ++i) rows.push_back(start + i);
    start += (P * count(e) + tile - 1) / tile * tile;
  }
  return rows;
}

int64_t Sizes::buffer_rows() const {
  return expert_rows().back() / tile * tile + tile + spare;
}

DType Operand::dtype() const {
  if (fill == Fill::normal || fill == Fill::constant) return DType::f64;
  return fill == Fill::weight ? DType::f32 : DType::i32;
}

void PrintTo(const Case& c, std::ostream* stream) {
  *stream << c.name;
}

std::vector<Case> cases(const Sizes& sizes) {
  std::vector<Case> all;
  add_rows(all, sizes);
  add_dense(all, sizes);
  add_attention(all, sizes);
  add_router(all, sizes);
  add_experts(all, sizes);
  return all;
}

Tensor make(const Operand& operand, const Sizes& sizes, uint32_t seed) {
  Tensor t{operand.dtype(), operand.shape,
           std::vector<double>(static_cast<size_t>(operand.shape.elements()))};
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  const bool drawn = operand.fill == Fill::normal || operand.fill == Fill::constant;
  for (size_t i = 0; i < t.values.size(); ++i)
    t.values[i] = drawn ? normal(random) : number(operand.fill, static_cast<int64_t>(i), sizes);
  return t;
}

std::vector<Seed> seeds(const Case& c) {
  std::vector<Seed> all;
  for (int i : c.differentiable) all.push_back({fmt::format("y{}", i), fmt::format("dy{}", i), 1});
  return all;
}

std::vector<std::string> wanted(const Case& c) {
  std::vector<std::string> all;
  for (size_t i = 0; i < c.operands.size(); ++i)
    if (c.operands[i].fill == Fill::normal) all.push_back(fmt::format("x{}", i));
  return all;
}

Graph forward_graph(const Case& c, const std::vector<layout::Placement>& placements, int64_t ranks) {
  layout::Degrees degrees;
  degrees.dp = ranks;
  Builder b(layout::Layout(degrees), DType::f64, DType::f64);
  std::vector<ValueId> operands;
  for (size_t i = 0; i < c.operands.size(); ++i) {
    const auto over_dp = layout::Placements().with(layout::Axis::dp, placements[i]);
    operands.push_back(b.input(fmt::format("x{}", i), {c.operands[i].dtype(), c.operands[i].shape, over_dp}));
  }
  const std::vector<ValueId> results = b.apply(c.op, c.attributes, operands);
  for (size_t i = 0; i < results.size(); ++i) b.output(fmt::format("y{}", i), results[i]);
  return b.take();
}

}  // namespace pleat::graph::testing
