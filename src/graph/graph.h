// SPDX-License-Identifier: Apache-2.0
// What is computed for one micro-batch by one chunk of the model: operations over values in single
// assignment. Shapes are global: over dp a value joins the micro-batches of all data-parallel ranks; the
// local shape follows from the placements. Filled by Builder only.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/ids.h"
#include "base/shape.h"
#include "graph/op.h"
#include "layout/layout.h"

namespace pleat::graph {

using base::OperationId;
using base::ValueId;

/// What a value is, without where it comes from.
struct ValueType {
  base::DType dtype = base::DType::f32;
  base::Shape shape;  // global
  layout::Placements placements;
  bool operator==(const ValueType&) const = default;
};

enum class Source : uint8_t {
  computed,
  input,      // comes with every micro-batch (tokens, documents, a received activation)
  parameter,  // lives in the state section
};

struct Value {
  ValueType type;
  Source source = Source::computed;
  std::string name;      // of an input or parameter
  OperationId producer;  // of a computed value
  int result = 0;        // its position among the producer's results
  bool once = false;     // does not depend on the micro-batch: computed once a step
};

/// F, B and W of the glossary, and what runs once a step.
enum class Phase : uint8_t { once, forward, backward, weight };

struct Operation {
  Op op = Op::add;
  Attributes attributes;
  std::vector<ValueId> operands;
  std::vector<ValueId> results;
  Phase phase = Phase::forward;
  layout::AxisSet axes;  // the group of a communication
};

/// One use of a parameter: its cotangent, partial over the axes over which it is shared, accumulates in the
/// exact dtype.
struct Gradient {
  std::string parameter;
  int use = 0;  // among the uses in this graph
  ValueId cotangent;
  bool operator==(const Gradient&) const = default;
};

struct Named {
  std::string name;
  ValueId value;
};

struct Graph {
  layout::Layout layout;
  base::DType exact = base::DType::f32;  // f64 when the activations are f64
  std::vector<Value> values;
  std::vector<Operation> operations;  // in an order that respects dependence; forward first
  std::vector<Named> outputs;         // named results of the forward part
  std::vector<Gradient> gradients;    // filled by differentiate
  std::vector<Named> cotangents;      // of inputs that need one, filled by differentiate

  const Value& operator[](ValueId id) const { return values[id.value]; }
  const Operation& operator[](OperationId id) const { return operations[id.value]; }
  std::optional<ValueId> output(std::string_view name) const;
  /// Throws CheckError.
  ValueId input(std::string_view name) const;
};

/// One line per operation: "%7 = matmul(%3, %5) {transpose_b=1} f32 4x8 [dp:sharded0]".
std::string to_text(const Graph& graph);

}  // namespace pleat::graph
