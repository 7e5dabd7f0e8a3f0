// SPDX-License-Identifier: Apache-2.0
#include "graph/differentiate.h"

#include <algorithm>
#include <map>

#include "base/errors.h"
#include "graph/dispatch.h"
#include "graph/facts.h"
#include "graph/place.h"

namespace pleat::graph {
namespace {

/// Which values the loss can be differentiated by: parameters, wanted inputs, and what is computed from them.
std::vector<bool> reached(const Graph& graph, const std::vector<std::string>& wanted_inputs) {
  std::vector<bool> reach(graph.values.size(), false);
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const Value& value = graph.values[i];
    reach[i] = value.source == Source::parameter ||
               (value.source == Source::input &&
                std::find(wanted_inputs.begin(), wanted_inputs.end(), value.name) != wanted_inputs.end());
  }
  for (const Operation& operation : graph.operations)
    for (ValueId operand : operation.operands)
      if (reach[operand.value])
        for (ValueId result : operation.results)
          if (base::is_floating(graph[result].type.dtype)) reach[result.value] = true;
  return reach;
}

void call_vjp(Op op, Vjp& vjp) {
  if (op == Op::exchange) return exchange_vjp(vjp);
  if (op == Op::share || op == Op::slice || is_communication(op)) return place_vjp(vjp);
  if (facts_of(op).vjp == nullptr)
    base::fail<base::CheckError>("operation {} cannot be differentiated", name_of(op));
  facts_of(op).vjp(vjp);
}

/// The walk from the outputs back; holds the cotangent of each value as it grows.
class Reverse {
 public:
  Reverse(Graph forward, const std::vector<std::string>& wanted_inputs)
      : reach_(reached(forward, wanted_inputs)),
        forward_operations_(forward.operations),
        builder_(std::move(forward)),
        cotangents_(reach_.size()) {
    builder_.set_phase(Phase::backward);
  }

  void seed(const Seed& seed) {
    const auto output = builder_.graph().output(seed.output);
    if (!output) base::fail<base::CheckError>("the graph has no output '{}'", seed.output);
    ValueType type = builder_[*output].type;
    for (layout::Axis axis : layout::axes_of(type.placements.mesh()))
      type.placements = type.placements.with(axis, layout::cotangent(type.placements[axis]));
    ValueId start = builder_.input(seed.cotangent, type);
    if (seed.factor != 1) start = builder_.apply_one(Op::scale, {{"factor", seed.factor}}, {start});
    give(*output, start);
  }

  void walk() {
    for (auto operation = forward_operations_.rbegin(); operation != forward_operations_.rend(); ++operation)
      if (operation->phase != Phase::once) step(*operation);
  }

  Graph finish(const std::vector<std::string>& wanted_inputs) {
    std::map<std::string, int> uses;
    std::vector<Gradient> gradients;
    for (const Operation& operation : forward_operations_) {
      if (operation.op != Op::share || operation.phase != Phase::once) continue;
      const std::string name = parameter_of(operation.operands[0]);
      const int use = uses[name]++;
      const ValueId cotangent = cotangents_[operation.results[0].value];
      if (cotangent.valid()) gradients.push_back({name, use, cotangent});
    }
    Graph graph = builder_.take();
    graph.gradients = std::move(gradients);
    for (const std::string& name : wanted_inputs)
      if (const ValueId id = cotangents_[graph.input(name).value]; id.valid())
        graph.cotangents.push_back({name, id});
    return graph;
  }

 private:
  void give(ValueId value, ValueId contribution) {
    ValueId& sum = cotangents_[value.value];
    sum = sum.valid() ? add(builder_, sum, contribution) : contribution;
  }

  void step(const Operation& operation) {
    std::vector<ValueId> results;
    bool any = false;
    for (ValueId result : operation.results) {
      results.push_back(cotangents_[result.value]);
      any = any || results.back().valid();
    }
    std::vector<bool> wanted;
    for (ValueId operand : operation.operands) wanted.push_back(reach_[operand.value]);
    if (!any || std::none_of(wanted.begin(), wanted.end(), [](bool w) { return w; })) return;
    Vjp vjp(builder_, operation, results, wanted);
    call_vjp(operation.op, vjp);
    for (size_t i = 0; i < wanted.size(); ++i)
      if (wanted[i] && vjp.given()[i].valid()) give(operation.operands[i], vjp.given()[i]);
  }

  std::string parameter_of(ValueId value) const {
    const Value& v = builder_[value];
    return v.source == Source::parameter ? v.name : parameter_of(builder_.graph()[v.producer].operands[0]);
  }

  std::vector<bool> reach_;
  std::vector<Operation> forward_operations_;
  Builder builder_;
  std::vector<ValueId> cotangents_;
};

}  // namespace

Graph differentiate(Graph forward, const std::vector<Seed>& seeds,
                    const std::vector<std::string>& wanted_inputs) {
  Reverse reverse(std::move(forward), wanted_inputs);
  for (const Seed& seed : seeds) reverse.seed(seed);
  reverse.walk();
  return reverse.finish(wanted_inputs);
}

Graph split_weight_gradients(Graph graph, const std::vector<std::string>& keep) {
  std::vector<int> readers(graph.values.size(), 0);
  for (const Operation& operation : graph.operations)
    for (ValueId operand : operation.operands) ++readers[operand.value];
  for (const Gradient& gradient : graph.gradients) {
    Operation& producer = graph.operations[graph[gradient.cotangent].producer.value];
    const bool heavy = producer.op == Op::matmul || producer.op == Op::grouped_outer;
    const bool kept = std::find(keep.begin(), keep.end(), gradient.parameter) != keep.end();
    if (heavy && !kept && readers[gradient.cotangent.value] == 0) producer.phase = Phase::weight;
  }
  return graph;
}

}  // namespace pleat::graph
