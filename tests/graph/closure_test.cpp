// SPDX-License-Identifier: Apache-2.0
// The placements are closed under differentiation: for every operation and every legal combination over an
// axis the vjp's operations are legal, each cotangent has the dual placement of its value, and two and four
// ranks compute what one rank does.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/errors.h"
#include "cases.h"
#include "graph/differentiate.h"
#include "graph/facts.h"

namespace pleat::graph::testing {
namespace {

using base::DType;
using layout::Axis;
using layout::Placement;
using layout::Placements;

const Sizes& kSizes = kDivisible;

/// Each rank has rows of every expert: rank r those of its sources, within each expert in order of sources.
RowMap rows_by_source(int64_t ranks) {
  RowMap map(static_cast<size_t>(ranks));
  const int64_t each = kSizes.P / ranks;
  for (int64_t r = 0; r < ranks; ++r)
    for (int64_t e = 0; e < kSizes.E; ++e)
      for (int64_t i = 0; i < each; ++i) map[static_cast<size_t>(r)].push_back(e * kSizes.P + r * each + i);
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
  Trial(const Case& c, const Pattern& pattern, int64_t ranks) : case_(c), ranks_(ranks) {
    const bool by_source = !c.operands.empty() && c.operands.back().fill == Fill::count &&
                           pattern.operands.back() == Placement::sharded(0);
    if (by_source) map_ = rows_by_source(ranks);
    graph_ = forward_graph(c, pattern.operands, ranks);
    if (!c.differentiable.empty()) graph_ = differentiate(std::move(graph_), seeds(c), wanted(c));
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
          distribute(make(what, kSizes, seed), value.type.placements[Axis::dp], ranks_, map(value), seed + 7);
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
  const RowMap* map(const Value& value) const {
    const bool rows = value.type.shape.dims() > 0 && value.type.shape[0] == kSizes.buffer_rows() &&
                      value.type.placements[Axis::dp] == Placement::sharded(0);
    return rows && !map_.empty() ? &map_ : nullptr;
  }
  /// Row numbers are a rank's own.
  void renumber(std::vector<Tensor>& parts) const {
    for (size_t r = 0; r < parts.size(); ++r)
      for (double& row : parts[r].values)
        row -= static_cast<double>(static_cast<int64_t>(r) * kSizes.buffer_rows() / ranks_);
  }

  const Case& case_;
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
    const double bound = 64 * static_cast<double>(kSizes.buffer_rows() * kSizes.D) *
                         std::numeric_limits<double>::epsilon() * largest;
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

INSTANTIATE_TEST_SUITE_P(Operations, Closure, ::testing::ValuesIn(cases(kSizes)),
                         [](const auto& which) { return which.param.name; });

TEST(Closure, EveryOperationWithFactsIsTried) {
  std::set<Op> tried;
  for (const Case& c : cases(kSizes)) tried.insert(c.op);
  for (const Facts* facts : all_facts()) EXPECT_TRUE(tried.contains(facts->op)) << name_of(facts->op);
}

TEST(Closure, AMixtureOfReplicatedAndShardedIsRefused) {
  layout::Degrees degrees;
  degrees.dp = 2;
  Builder b(layout::Layout(degrees), DType::f64, DType::f64);
  const ValueId rows = b.input("x", {DType::f64, {kSizes.T, kSizes.D}, over_dp(Placement::sharded(0))});
  const ValueId weight = b.input("w", {DType::f64, {kSizes.D, kSizes.D}, over_dp(Placement::replicated())});
  EXPECT_THROW(matmul(b, rows, weight, false, false, DType::f64), base::JobError);
  EXPECT_THROW(add(b, rows, weight), base::JobError);
}

}  // namespace
}  // namespace pleat::graph::testing
