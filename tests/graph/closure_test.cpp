// SPDX-License-Identifier: Apache-2.0
// The placements are closed under differentiation: for every operation and every legal combination over an
// axis the vjp's operations are legal, each cotangent has the dual placement of its value, and two and four
// ranks compute what one rank does.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <set>

#include "base/errors.h"
#include "graph/differentiate.h"
#include "graph/facts.h"
#include "ranks.h"

namespace pleat::graph::testing {
namespace {

using base::DType;
using layout::Axis;
using layout::Placement;
using layout::Placements;

// Every dim divides by four. T tokens in samples of S, D width, H heads, G pairs, N head dim, E experts, K
// picks, V vocabulary, F expert width, R expert rows (all full), P sources of counts.
constexpr int64_t T = 8, S = 2, D = 8, H = 8, G = 4, N = 4, E = 4, K = 2, V = 8, F = 4, R = 16, P = 4;

enum class Fill { normal, token, position, pick, row, count, weight, zero };

struct Operand {
  Fill fill;
  base::Shape shape;
  DType dtype() const {
    if (fill == Fill::normal) return DType::f64;
    return fill == Fill::weight ? DType::f32 : DType::i32;
  }
};

struct Case {
  std::string name;
  Op op;
  Attributes attributes;
  std::vector<Operand> operands;
  std::vector<int> differentiable;  // results with a cotangent
};

Operand x(std::initializer_list<int64_t> dims) {
  return {Fill::normal, base::Shape(dims)};
}

std::vector<Case> cases() {
  const Attributes attention{{"sequence", S}, {"window", int64_t{0}}, {"scale", 0.5}};
  const Attributes router{{"top_k", K}, {"renormalise", int64_t{1}}};
  const Attributes rows{{"tile", int64_t{1}}, {"balanced", double{R}}};
  const Operand tokens{Fill::token, {T}}, documents{Fill::zero, {T}}, positions{Fill::position, {T}};
  const Operand picks{Fill::pick, {T, K}}, to_rows{Fill::row, {T, K}}, counts{Fill::count, {P, E}};
  const Operand weights{Fill::weight, {T}};
  const auto with = [](Attributes a, std::string_view name, int64_t value) { return a.set(name, value), a; };
  const auto product = [](int64_t a, int64_t b) {
    return Attributes{{"transpose_a", a}, {"transpose_b", b}, {"to", std::string("f64")}};
  };
  return {
      {"reshape", Op::reshape, {{"dim0", T}, {"dim1", G}, {"dim2", N}}, {x({T, G * N})}, {0}},
      {"split", Op::split, {{"columns0", D}, {"columns1", N}}, {x({T, D + N})}, {0, 1}},
      {"concat", Op::concat, {}, {x({T, D}), x({T, N})}, {0}},
      {"cast", Op::cast, {{"to", std::string("f64")}}, {x({T, D})}, {0}},
      {"add", Op::add, {}, {x({T, D}), x({T, D})}, {0}},
      {"scale", Op::scale, {{"factor", 0.3}}, {x({T, D})}, {0}},
      {"add_bias", Op::add_bias, {}, {x({T, D}), x({D})}, {0}},
      {"column_sum", Op::column_sum, {}, {x({T, D})}, {}},
      {"token_sum", Op::token_sum, {}, {x({T})}, {}},
      {"embedding", Op::embedding, {}, {x({V, D}), tokens}, {0}},
      {"embedding_grad", Op::embedding_grad, {{"vocabulary", V}}, {tokens, x({T, D})}, {}},
      {"rms_norm", Op::rms_norm, {{"eps", 1e-6}}, {x({T, D}), x({D})}, {0}},
      {"rms_norm_heads", Op::rms_norm, {{"eps", 1e-6}}, {x({T, H, N}), x({N})}, {0}},
      {"rms_norm_grad", Op::rms_norm_grad, {{"eps", 1e-6}}, {x({T, D}), x({D}), x({T}), x({T, D})}, {}},
      {"rms_norm_grad_heads",
       Op::rms_norm_grad,
       {{"eps", 1e-6}},
       {x({T, H, N}), x({N}), x({T, H}), x({T, H, N})},
       {}},
      {"matmul", Op::matmul, product(0, 0), {x({T, D}), x({D, V})}, {0}},
      {"matmul_ta", Op::matmul, product(1, 0), {x({D, T}), x({D, V})}, {0}},
      {"matmul_tb", Op::matmul, product(0, 1), {x({T, D}), x({V, D})}, {0}},
      {"matmul_ta_tb", Op::matmul, product(1, 1), {x({D, T}), x({V, D})}, {0}},
      {"rope_table",
       Op::rope_table,
       {{"sequence", S},
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
      {"rope", Op::rope, {{"inverse", int64_t{0}}}, {x({T, H, N}), positions, x({S, N})}, {0}},
      {"attention", Op::attention, attention, {x({T, H, N}), x({T, G, N}), x({T, G, N}), documents}, {0}},
      {"attention_grad",
       Op::attention_grad,
       attention,
       {x({T, H, N}), x({T, G, N}), x({T, G, N}), documents, x({T, H, N}), x({T, H}), x({T, H, N})},
       {}},
      {"swiglu", Op::swiglu, {}, {x({T, 2 * F})}, {0}},
      {"swiglu_rows", Op::swiglu, rows, {x({R, 2 * F}), counts}, {0}},
      {"swiglu_grad", Op::swiglu_grad, {}, {x({T, 2 * F}), x({T, F})}, {}},
      {"swiglu_grad_rows", Op::swiglu_grad, rows, {x({R, 2 * F}), x({R, F}), counts}, {}},
      {"cross_entropy", Op::cross_entropy, {}, {x({T, V}), tokens, weights}, {0}},
      {"cross_entropy_grad", Op::cross_entropy_grad, {}, {x({T, V}), tokens, weights, x({T}), x({T})}, {}},
      {"router", Op::router, router, {x({T, E})}, {0, 1, 3}},
      {"router_grad",
       Op::router_grad,
       router,
       {x({T, E}), x({T, K}), picks, x({T, K}), x({T, E}), x({T})},
       {}},
      {"router_sums", Op::router_sums, {{"groups", int64_t{4}}}, {x({T, E}), picks, x({T})}, {1, 2}},
      {"router_sums_pooled", Op::router_sums, {{"groups", int64_t{1}}}, {x({T, E}), picks, x({T})}, {1, 2}},
      {"router_sums_grad",
       Op::router_sums_grad,
       {{"groups", int64_t{4}}, {"experts", E}},
       {x({T}), x({4, E}), x({4})},
       {}},
      {"router_sums_grad_pooled",
       Op::router_sums_grad,
       {{"groups", int64_t{1}}, {"experts", E}},
       {x({T}), x({1, E}), x({1})},
       {}},
      {"balance_loss", Op::balance_loss, {{"rows", int64_t{4}}}, {x({4, E}), x({4, E})}, {0}},
      {"balance_loss_grad", Op::balance_loss_grad, {{"rows", int64_t{4}}}, {x({4, E}), x({4})}, {}},
      {"permute", Op::permute, {{"rows", R}}, {x({T, D}), to_rows}, {0}},
      {"unpermute", Op::unpermute, {{"rows", R}}, {x({R, D}), to_rows}, {0}},
      {"combine", Op::combine, {}, {x({R, D}), to_rows, x({T, K})}, {0}},
      {"combine_grad", Op::combine_grad, {}, {x({R, D}), to_rows, x({T, K}), x({T, D})}, {}},
      {"grouped_matmul",
       Op::grouped_matmul,
       with(rows, "transpose_b", 1),
       {x({R, D}), x({E, F, D}), counts},
       {0}},
      {"grouped_matmul_turned",
       Op::grouped_matmul,
       with(rows, "transpose_b", 0),
       {x({R, D}), x({E, D, F}), counts},
       {0}},
      {"grouped_outer", Op::grouped_outer, with(rows, "experts", E), {x({R, F}), x({R, D}), counts}, {}},
      // Row numbers and counts of a rank are its own: legality only, exchange and the equivalence tests see
      // their use.
      {"route", Op::route, {{"experts", E}, {"tile", int64_t{1}}, {"sources", P}}, {picks}, {}},
      {"expert_counts", Op::expert_counts, {{"index", int64_t{0}}, {"parts", int64_t{1}}}, {counts}, {}},
  };
}

Tensor make(const Operand& operand, uint32_t seed) {
  Tensor t{operand.dtype(), operand.shape,
           std::vector<double>(static_cast<size_t>(operand.shape.elements()))};
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  for (size_t i = 0; i < t.values.size(); ++i) {
    const auto n = static_cast<int64_t>(i);
    switch (operand.fill) {
      case Fill::normal:
        t.values[i] = normal(random);
        break;
      case Fill::token:
        t.values[i] = static_cast<double>(n * 5 % V);
        break;
      case Fill::position:
        t.values[i] = static_cast<double>(n % S);
        break;
      case Fill::pick:
        t.values[i] = static_cast<double>((n / K + n % K * 3) % E);
        break;
      // Within each quarter of the rows, so that two and four ranks find theirs in their own buffers.
      case Fill::row:
        t.values[i] = static_cast<double>(n / 4 * 4 + (n + 2) % 4);
        break;
      case Fill::count:
        t.values[i] = 1;
        break;
      case Fill::weight:
        t.values[i] = n % 3 == 0 ? 0.5 : 1;
        break;
      case Fill::zero:
        break;
    }
  }
  return t;
}

/// Each rank has rows of every expert: rank r those of its sources, within each expert in order of sources.
RowMap rows_by_source(int64_t ranks) {
  RowMap map(static_cast<size_t>(ranks));
  const int64_t each = P / ranks;
  for (int64_t r = 0; r < ranks; ++r)
    for (int64_t e = 0; e < E; ++e)
      for (int64_t i = 0; i < each; ++i) map[static_cast<size_t>(r)].push_back(e * P + r * each + i);
  return map;
}

std::string to_string(const Pattern& pattern) {
  std::string text;
  for (Placement p : pattern.operands) text += layout::to_string(p) + " ";
  text += "->";
  for (Placement p : pattern.results) text += " " + layout::to_string(p);
  return text;
}

Placements over_dp(Placement placement) {
  return Placements().with(Axis::dp, placement);
}

/// One operation, differentiated, on `ranks` ranks.
class Trial {
 public:
  Trial(const Case& c, const Pattern& pattern, int64_t ranks) : case_(c), pattern_(pattern), ranks_(ranks) {
    const bool by_source = !c.operands.empty() && c.operands.back().fill == Fill::count &&
                           pattern.operands.back() == Placement::sharded(0);
    if (by_source) map_ = rows_by_source(ranks);
    layout::Degrees degrees;
    degrees.dp = ranks;
    Builder b(layout::Layout(degrees), DType::f64, DType::f64);
    std::vector<ValueId> operands;
    for (size_t i = 0; i < c.operands.size(); ++i)
      operands.push_back(b.input(fmt::format("x{}", i),
                                 {c.operands[i].dtype(), c.operands[i].shape, over_dp(pattern.operands[i])}));
    const std::vector<ValueId> results = b.apply(c.op, c.attributes, operands);
    for (size_t i = 0; i < results.size(); ++i) b.output(fmt::format("y{}", i), results[i]);
    graph_ = b.take();
    if (!c.differentiable.empty()) graph_ = differentiate(std::move(graph_), seeds(), wanted());
  }

  const Graph& graph() const { return graph_; }

  /// Results and cotangents of operands, whole.
  std::map<std::string, Tensor> run() {
    std::map<std::string, std::vector<Tensor>> inputs;
    for (size_t i = 0; i < graph_.values.size(); ++i) {
      const Value& value = graph_.values[i];
      if (value.source != Source::input) continue;
      const bool operand = value.name[0] == 'x';
      const size_t number = std::stoul(value.name.substr(operand ? 1 : 2));
      const Operand what = operand ? case_.operands[number] : Operand{Fill::normal, value.type.shape};
      const auto seed = static_cast<uint32_t>(number + (operand ? 1 : 100));
      std::vector<Tensor> parts =
          distribute(make(what, seed), value.type.placements[Axis::dp], ranks_, map(value), seed + 7);
      if (what.fill == Fill::row && value.type.placements[Axis::dp] == Placement::sharded(0)) renumber(parts);
      inputs[value.name] = std::move(parts);
    }
    const auto values = compute(graph_, inputs);
    std::map<std::string, Tensor> whole;
    const auto add = [&](const std::string& name, ValueId id) {
      whole[name] = collect(values[static_cast<size_t>(id.value)], graph_[id].type.placements[Axis::dp],
                            map(graph_[id]));
    };
    for (const Named& output : graph_.outputs) add(output.name, output.value);
    for (const Named& cotangent : graph_.cotangents) add("d" + cotangent.name, cotangent.value);
    return whole;
  }

 private:
  std::vector<Seed> seeds() const {
    std::vector<Seed> all;
    for (int i : case_.differentiable) all.push_back({fmt::format("y{}", i), fmt::format("dy{}", i), 1});
    return all;
  }
  std::vector<std::string> wanted() const {
    std::vector<std::string> all;
    for (size_t i = 0; i < case_.operands.size(); ++i)
      if (case_.operands[i].fill == Fill::normal) all.push_back(fmt::format("x{}", i));
    return all;
  }
  const RowMap* map(const Value& value) const {
    const bool rows = value.type.shape.dims() > 0 && value.type.shape[0] == R &&
                      value.type.placements[Axis::dp] == Placement::sharded(0);
    return rows && !map_.empty() ? &map_ : nullptr;
  }
  /// Row numbers are a rank's own.
  void renumber(std::vector<Tensor>& parts) const {
    for (size_t r = 0; r < parts.size(); ++r)
      for (double& row : parts[r].values) row -= static_cast<double>(static_cast<int64_t>(r) * R / ranks_);
  }

  const Case& case_;
  const Pattern& pattern_;
  int64_t ranks_;
  RowMap map_;
  Graph graph_;
};

std::vector<Pattern> patterns_of(const Case& c) {
  std::vector<Plain> plain;
  for (const Operand& operand : c.operands) plain.push_back({operand.dtype(), operand.shape});
  const Context context{c.attributes, plain, DType::f64};
  const Facts& facts = facts_of(c.op);
  return legal_patterns(facts, context, facts.results(context).size());
}

void expect_dual(const Graph& graph, const Case& c, const Pattern& pattern) {
  for (const Named& cotangent : graph.cotangents) {
    const size_t operand = std::stoul(cotangent.name.substr(1));
    EXPECT_EQ(graph[cotangent.value].type.placements, over_dp(layout::cotangent(pattern.operands[operand])))
        << c.name << ", operand " << operand;
    EXPECT_EQ(graph[cotangent.value].type.shape, c.operands[operand].shape);
  }
}

/// Sums of at most this many terms of size about one, in another order.
void expect_same(const std::map<std::string, Tensor>& many, const std::map<std::string, Tensor>& one) {
  ASSERT_EQ(many.size(), one.size());
  for (const auto& [name, want] : one) {
    const Tensor& have = many.at(name);
    ASSERT_EQ(have.values.size(), want.values.size()) << name;
    double largest = 1;
    for (double value : want.values) largest = std::max(largest, std::fabs(value));
    const double bound = 64 * static_cast<double>(R * D) * std::numeric_limits<double>::epsilon() * largest;
    for (size_t i = 0; i < want.values.size(); ++i)
      ASSERT_NEAR(have.values[i], want.values[i], bound) << name << "[" << i << "]";
  }
}

class Closure : public ::testing::TestWithParam<Case> {};

TEST_P(Closure, VjpsAreLegalAndRanksAgreeWithOne) {
  const Case& c = GetParam();
  const bool numbers_are_local = c.op == Op::route || c.op == Op::expert_counts;
  for (const Pattern& pattern : patterns_of(c)) {
    SCOPED_TRACE(to_string(pattern));
    Trial one(c, pattern, 1);
    for (int64_t ranks : {2, 4}) {
      SCOPED_TRACE(fmt::format("{} ranks", ranks));
      Trial many(c, pattern, ranks);
      expect_dual(many.graph(), c, pattern);
      if (!numbers_are_local) expect_same(many.run(), one.run());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Operations, Closure, ::testing::ValuesIn(cases()),
                         [](const auto& which) { return which.param.name; });

void PrintTo(const Case& c, std::ostream* stream) {
  *stream << c.name;
}

TEST(Closure, EveryOperationWithFactsIsTried) {
  std::set<Op> tried;
  for (const Case& c : cases()) tried.insert(c.op);
  for (const Facts* facts : all_facts()) EXPECT_TRUE(tried.contains(facts->op)) << name_of(facts->op);
}

TEST(Closure, AMixtureOfReplicatedAndShardedIsRefused) {
  layout::Degrees degrees;
  degrees.dp = 2;
  Builder b(layout::Layout(degrees), DType::f64, DType::f64);
  const ValueId rows = b.input("x", {DType::f64, {T, D}, over_dp(Placement::sharded(0))});
  const ValueId weight = b.input("w", {DType::f64, {D, D}, over_dp(Placement::replicated())});
  EXPECT_THROW(matmul(b, rows, weight, false, false, DType::f64), base::JobError);
  EXPECT_THROW(add(b, rows, weight), base::JobError);
}

}  // namespace
}  // namespace pleat::graph::testing
