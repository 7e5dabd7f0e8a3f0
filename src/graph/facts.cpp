// SPDX-License-Identifier: Apache-2.0
#include "graph/facts.h"

#include <algorithm>
#include <array>

#include "base/errors.h"
#include "graph/ops/ops.h"

namespace pleat::graph {
namespace {

using base::fail;
using layout::Axis;
using layout::Placement;
using layout::Placements;

constexpr std::array kAllFacts{&kReshape,       &kSplit,
                               &kConcat,        &kCast,
                               &kAdd,           &kScale,
                               &kAddBias,       &kColumnSum,
                               &kTokenSum,      &kEmbedding,
                               &kEmbeddingGrad, &kRmsNorm,
                               &kRmsNormGrad,   &kMatmul,
                               &kRopeTable,     &kRope,
                               &kAttention,     &kAttentionGrad,
                               &kSwiglu,        &kSwigluGrad,
                               &kCrossEntropy,  &kCrossEntropyGrad,
                               &kRouter,        &kRouterGrad,
                               &kRouterSums,    &kRouterSumsGrad,
                               &kBalanceLoss,   &kBalanceLossGrad,
                               &kRoute,         &kPermute,
                               &kUnpermute,     &kCombine,
                               &kCombineGrad,   &kGroupedMatmul,
                               &kGroupedOuter,  &kExpertCounts};

Placement placement_of_letter(std::string_view word) {
  if (word == "r") return Placement::replicated();
  if (word == "h") return Placement::shared();
  if (word == "p") return Placement::partial();
  if (word.size() == 2 && word[0] == 's') return Placement::sharded(word[1] - '0');
  fail<base::CheckError>("'{}' in a placement pattern", word);
}

/// What carries no gradient may be read as replicated or as shared.
bool carries_no_gradient(const Value& value) {
  return !base::is_floating(value.type.dtype) ||
         (value.once && value.source == Source::computed && value.name == "constant");
}

bool fits(Placement have, Placement want, const Value& value) {
  if (have == want) return true;
  const auto equal_everywhere = [](Placement p) {
    return p == Placement::replicated() || p == Placement::shared();
  };
  return equal_everywhere(have) && equal_everywhere(want) && carries_no_gradient(value);
}

}  // namespace

std::vector<Pattern> legal_patterns(const Facts& facts, const Context& context, size_t results) {
  const size_t n = context.operands.size();
  std::vector<Pattern> patterns{
      {std::vector(n, Placement::replicated()), std::vector(results, Placement::replicated())},
      {std::vector(n, Placement::shared()), std::vector(results, Placement::shared())}};
  for (uint32_t mask : facts.linear) {
    Pattern linear{std::vector(n, Placement::shared()), std::vector(results, Placement::partial())};
    for (size_t i = 0; i < n; ++i)
      if (mask >> i & 1u) linear.operands[i] = Placement::partial();
    patterns.push_back(linear);
  }
  if (facts.patterns != nullptr)
    for (Pattern& p : facts.patterns(context)) patterns.push_back(std::move(p));
  return patterns;
}

namespace {

std::string to_string(const std::vector<Placement>& placements) {
  std::string text;
  for (Placement p : placements) text += (text.empty() ? "" : ", ") + layout::to_string(p);
  return "(" + text + ")";
}

}  // namespace

Pattern pattern(std::string_view text) {
  Pattern result;
  bool right = false;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (word == ">") {
      right = true;
    } else {
      (right ? result.results : result.operands).push_back(placement_of_letter(word));
    }
  }
  return result;
}

std::span<const Facts* const> all_facts() {
  return kAllFacts;
}

const Facts& facts_of(Op op) {
  for (const Facts* facts : kAllFacts)
    if (facts->op == op) return *facts;
  fail<base::CheckError>("operation {} has no facts in the graph", name_of(op));
}

std::vector<Placements> infer_placements(const Graph& graph, Op op, const Attributes& attributes,
                                         std::span<const ValueId> operands, std::span<const Plain> results) {
  std::vector<Plain> plain;
  for (ValueId id : operands) plain.push_back({graph[id].type.dtype, graph[id].type.shape});
  const Context context{attributes, plain, graph.exact};
  const layout::MeshKind mesh =
      operands.empty() ? layout::MeshKind::dense : graph[operands[0]].type.placements.mesh();
  for (ValueId id : operands)
    if (graph[id].type.placements.mesh() != mesh)
      fail<base::JobError>("operation {} mixes values of the dense and the expert mesh", name_of(op));
  std::vector<Placements> inferred(results.size(), Placements(mesh));
  const std::vector<Pattern> legal = legal_patterns(facts_of(op), context, results.size());
  for (Axis axis : layout::axes_of(mesh)) {
    if (graph.layout.size(axis) == 1) continue;  // one rank: every placement says the same
    std::vector<Placement> have;
    for (ValueId id : operands) have.push_back(graph[id].type.placements[axis]);
    const auto match = std::find_if(legal.begin(), legal.end(), [&](const Pattern& p) {
      for (size_t i = 0; i < have.size(); ++i)
        if (!fits(have[i], p.operands[i], graph[operands[i]])) return false;
      return true;
    });
    if (match == legal.end()) {
      std::string choices;
      for (const Pattern& p : legal) choices += "\n  " + to_string(p.operands);
      fail<base::JobError>("operation {} over axis {}: operands {} fit no legal combination; choose one of{}",
                           name_of(op), layout::name_of(axis), to_string(have), choices);
    }
    for (size_t i = 0; i < results.size(); ++i) inferred[i] = inferred[i].with(axis, match->results[i]);
  }
  return inferred;
}

Cost streaming_cost(const Signature& signature) {
  Cost cost;
  for (const auto& operand : signature.reads)
    cost.bytes += static_cast<double>(operand.shape.elements() * base::size_of(operand.dtype));
  for (const auto& result : signature.writes) {
    cost.bytes += static_cast<double>(result.shape.elements() * base::size_of(result.dtype));
    cost.flops += static_cast<double>(result.shape.elements());
  }
  return cost;
}

Vjp::Vjp(Builder& builder, const Operation& operation, std::vector<ValueId> result_cotangents,
         std::vector<bool> wanted_operands)
    : builder_(builder),
      operation_(operation),
      cotangents_(std::move(result_cotangents)),
      wanted_(std::move(wanted_operands)),
      given_(operation.operands.size()) {}

ValueId Vjp::cotangent(int i) const {
  if (!cotangents_[i].valid())
    fail<base::CheckError>("result {} of {} has no cotangent where one is needed", i, name_of(operation_.op));
  return cotangents_[i];
}

base::DType Vjp::dtype(int operand) const {
  const Value& value = builder_[operation_.operands[operand]];
  return value.once ? builder_.exact() : value.type.dtype;
}

}  // namespace pleat::graph
