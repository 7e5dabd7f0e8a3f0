// SPDX-License-Identifier: Apache-2.0
#include "graph/graph.h"

#include "base/errors.h"

namespace pleat::graph {
namespace {

std::string attribute_text(const Attributes& attributes) {
  std::string text;
  for (const auto& [name, value] : attributes) {
    text += text.empty() ? "{" : " ";
    std::visit([&](const auto& v) { text += fmt::format("{}={}", name, v); }, value);
  }
  return text.empty() ? text : text + "}";
}

std::string type_text(const Graph& graph, ValueId id) {
  const ValueType& type = graph[id].type;
  std::string text = fmt::format("{} {}", base::name_of(type.dtype), base::to_string(type.shape));
  for (layout::Axis axis : layout::axes_of(type.placements.mesh()))
    if (graph.layout.size(axis) > 1)
      text += fmt::format(" {}:{}", layout::name_of(axis), layout::to_string(type.placements[axis]));
  return text;
}

constexpr std::string_view kPhaseNames[] = {"once", "forward", "backward", "weight"};

}  // namespace

std::optional<ValueId> Graph::output(std::string_view name) const {
  for (const Named& output : outputs)
    if (output.name == name) return output.value;
  return std::nullopt;
}

ValueId Graph::input(std::string_view name) const {
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i].source == Source::input && values[i].name == name) return ValueId(static_cast<int64_t>(i));
  base::fail<base::CheckError>("the graph has no input '{}'", name);
}

std::string to_text(const Graph& graph) {
  std::string text;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const Value& value = graph.values[i];
    if (value.source == Source::computed) continue;
    text += fmt::format("%{} = {} \"{}\" : {}\n", i, value.source == Source::input ? "input" : "parameter",
                        value.name, type_text(graph, ValueId(static_cast<int64_t>(i))));
  }
  for (const Operation& operation : graph.operations) {
    const auto ids = [](const std::vector<ValueId>& values) {
      std::string list;
      for (ValueId v : values) list += fmt::format("{}%{}", list.empty() ? "" : ", ", v.value);
      return list;
    };
    text += fmt::format("{:8} {} = {}({}) {}", kPhaseNames[static_cast<int>(operation.phase)],
                        ids(operation.results), name_of(operation.op), ids(operation.operands),
                        attribute_text(operation.attributes));
    if (!operation.axes.empty()) text += fmt::format(" over {}", layout::to_string(operation.axes));
    for (ValueId result : operation.results) text += " : " + type_text(graph, result);
    text += '\n';
  }
  for (const Named& output : graph.outputs)
    text += fmt::format("output {} = %{}\n", output.name, output.value.value);
  for (const Gradient& g : graph.gradients)
    text += fmt::format("gradient {} use {} += %{}\n", g.parameter, g.use, g.cotangent.value);
  for (const Named& c : graph.cotangents)
    text += fmt::format("cotangent of {} = %{}\n", c.name, c.value.value);
  return text;
}

}  // namespace pleat::graph
