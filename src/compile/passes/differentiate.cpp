// SPDX-License-Identifier: Apache-2.0
// differentiate: every stage's forward graph becomes a joint graph. The last chunk starts from its losses,
// the others from the cotangents of what they send.
#include "graph/differentiate.h"

#include "compile/draft.h"

namespace pleat::compile {
namespace {

constexpr std::string_view kBoundary[] = {"hidden", "sums", "squares"};  // "counts" carries no cotangent

std::vector<graph::Seed> seeds_of(const graph::Graph& graph, const config::ModelConfig& model) {
  if (!graph.output("loss")) {
    std::vector<graph::Seed> seeds;
    for (std::string_view name : kBoundary)
      if (graph.output(name)) seeds.push_back({std::string(name), "cotangent." + std::string(name), 1});
    return seeds;
  }
  std::vector<graph::Seed> seeds{{"loss", "seed.loss", 1}};
  const double asked = model.output_router_logits ? 1 : 0;
  if (graph.output("balance_loss")) {
    seeds.push_back({"balance_loss", "seed.balance_loss", asked * model.router_aux_loss_coef});
    seeds.push_back({"z_loss", "seed.z_loss", asked * model.router_z_loss_coef});
  }
  return seeds;
}

std::vector<std::string> wanted_inputs(const graph::Graph& graph) {
  std::vector<std::string> wanted;
  for (const graph::Value& value : graph.values)
    for (std::string_view name : kBoundary)
      if (value.source == graph::Source::input && value.name == "in." + std::string(name))
        wanted.push_back(value.name);
  return wanted;
}

}  // namespace

Draft differentiate(Draft draft) {
  if (draft.request.purpose == Purpose::forward || draft.request.purpose == Purpose::generate) return draft;
  for (StageDraft& stage : draft.stages) {
    const std::vector<graph::Seed> seeds = seeds_of(stage.graph, draft.request.model);
    const std::vector<std::string> wanted = wanted_inputs(stage.graph);
    stage.graph = graph::differentiate(std::move(stage.graph), seeds, wanted);
  }
  return draft;
}

}  // namespace pleat::compile
