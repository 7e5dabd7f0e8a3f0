// SPDX-License-Identifier: Apache-2.0
#include "ranks.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <random>

#include "kernels/kernel.h"

namespace pleat::graph::testing {
namespace {

using layout::Placement;
using Kind = Placement::Kind;

std::vector<int64_t> part_of(int64_t size, int64_t ranks, int64_t rank, const RowMap* rows) {
  if (rows != nullptr) return (*rows)[static_cast<size_t>(rank)];
  std::vector<int64_t> indices(static_cast<size_t>(size / ranks));
  std::iota(indices.begin(), indices.end(), rank * (size / ranks));
  return indices;
}

/// Elements before, along and after a dim.
struct Extent {
  int64_t outer = 1, along = 1, inner = 1;
  Extent(const base::Shape& shape, int dim) : along(shape[dim]) {
    for (int d = 0; d < dim; ++d) outer *= shape[d];
    for (int d = dim + 1; d < shape.dims(); ++d) inner *= shape[d];
  }
  size_t at(int64_t o, int64_t a, int64_t i) const {
    return static_cast<size_t>((o * along + a) * inner + i);
  }
};

Tensor take(const Tensor& whole, int dim, const std::vector<int64_t>& indices) {
  Tensor part{whole.dtype, whole.shape, {}};
  part.shape[dim] = static_cast<int64_t>(indices.size());
  const Extent extent(whole.shape, dim);
  for (int64_t o = 0; o < extent.outer; ++o)
    for (int64_t index : indices)
      for (int64_t i = 0; i < extent.inner; ++i) part.values.push_back(whole.values[extent.at(o, index, i)]);
  return part;
}

void put(Tensor& whole, int dim, const std::vector<int64_t>& indices, const Tensor& part) {
  const Extent extent(whole.shape, dim), from(part.shape, dim);
  for (int64_t o = 0; o < extent.outer; ++o)
    for (size_t n = 0; n < indices.size(); ++n)
      for (int64_t i = 0; i < extent.inner; ++i)
        whole.values[extent.at(o, indices[n], i)] = part.values[from.at(o, static_cast<int64_t>(n), i)];
}

Tensor sum(const std::vector<Tensor>& parts) {
  Tensor total = parts[0];
  for (size_t r = 1; r < parts.size(); ++r)
    for (size_t i = 0; i < total.values.size(); ++i) total.values[i] += parts[r].values[i];
  return total;
}

class Memory {
 public:
  explicit Memory(const OperandType& type) : type_(type), bytes_(static_cast<size_t>(type.bytes()) / 8 + 1) {}
  std::byte* data() { return reinterpret_cast<std::byte*>(bytes_.data()); }
  void fill(const Tensor& t) {
    for (size_t i = 0; i < t.values.size(); ++i) {
      const auto f = static_cast<float>(t.values[i]);
      const auto n = static_cast<int32_t>(t.values[i]);
      if (t.dtype == base::DType::f64) std::memcpy(data() + 8 * i, &t.values[i], 8);
      if (t.dtype == base::DType::f32) std::memcpy(data() + 4 * i, &f, 4);
      if (t.dtype == base::DType::i32) std::memcpy(data() + 4 * i, &n, 4);
    }
  }
  Tensor tensor() {
    Tensor t{type_.dtype, type_.shape, std::vector<double>(static_cast<size_t>(type_.shape.elements()))};
    for (size_t i = 0; i < t.values.size(); ++i) {
      float f = 0;
      int32_t n = 0;
      if (t.dtype == base::DType::f64) std::memcpy(&t.values[i], data() + 8 * i, 8);
      if (t.dtype == base::DType::f32)
        std::memcpy(&f, data() + 4 * i, 4), t.values[i] = static_cast<double>(f);
      if (t.dtype == base::DType::i32) std::memcpy(&n, data() + 4 * i, 4), t.values[i] = n;
    }
    return t;
  }

 private:
  OperandType type_;
  std::vector<double> bytes_;  // aligned to 8
};

std::vector<Tensor> run_kernel(const Operation& operation, const std::vector<const Tensor*>& reads,
                               const std::vector<OperandType>& results) {
  Signature signature{operation.op, operation.attributes, {}, results, 0};
  std::vector<Memory> in, out;
  std::vector<std::byte*> read_pointers, write_pointers;
  for (const Tensor* read : reads) {
    signature.reads.push_back(OperandType::dense(read->dtype, read->shape));
    in.emplace_back(signature.reads.back()).fill(*read);
  }
  for (const OperandType& result : results) out.emplace_back(result);
  for (Memory& memory : in) read_pointers.push_back(memory.data());
  for (Memory& memory : out) write_pointers.push_back(memory.data());
  kernels::Team team(1);
  kernels::bind("ref", signature, 0, 1)->run({read_pointers, write_pointers, nullptr, true}, team);
  std::vector<Tensor> tensors;
  for (Memory& memory : out) tensors.push_back(memory.tensor());
  return tensors;
}

class Evaluation {
 public:
  Evaluation(const Graph& graph, const std::map<std::string, std::vector<Tensor>>& inputs)
      : graph_(graph), ranks_(graph.layout.size(layout::Axis::dp)), values_(graph.values.size()) {
    for (size_t i = 0; i < values_.size(); ++i)
      if (graph.values[i].source != Source::computed) values_[i] = inputs.at(graph.values[i].name);
    for (const Operation& operation : graph.operations) step(operation);
  }
  std::vector<std::vector<Tensor>> take_values() { return std::move(values_); }

 private:
  OperandType local(ValueId id) const {
    const ValueType& type = graph_[id].type;
    return OperandType::dense(type.dtype, graph_.layout.local_shape(type.shape, type.placements));
  }
  std::vector<Tensor>& at(ValueId id) { return values_[static_cast<size_t>(id.value)]; }

  void step(const Operation& operation) {
    if (is_communication(operation.op)) return collective(operation);
    for (int64_t rank = 0; rank < ranks_; ++rank) {
      std::vector<const Tensor*> reads;
      for (ValueId operand : operation.operands) reads.push_back(&at(operand)[static_cast<size_t>(rank)]);
      std::vector<Tensor> results =
          is_view(operation.op) ? view(operation, reads) : compute(operation, reads, rank);
      for (size_t i = 0; i < results.size(); ++i) at(operation.results[i]).push_back(std::move(results[i]));
    }
  }

  std::vector<Tensor> compute(Operation operation, const std::vector<const Tensor*>& reads,
                              int64_t rank) const {
    std::vector<OperandType> types;
    for (ValueId result : operation.results) types.push_back(local(result));
    if (!operation.axes.empty()) {  // as bind does
      const base::Rank id(rank);
      operation.attributes.set("index", graph_.layout.position_in_group(id, operation.axes));
      operation.attributes.set("parts", graph_.layout.size(operation.axes));
    }
    return run_kernel(operation, reads, types);
  }

  std::vector<Tensor> view(const Operation& operation, const std::vector<const Tensor*>& reads) const {
    std::vector<Tensor> results;
    int64_t column = 0;
    for (ValueId result : operation.results) {
      const base::Shape shape = local(result).shape;
      if (operation.op == Op::split) {
        std::vector<int64_t> columns(static_cast<size_t>(shape[1]));
        std::iota(columns.begin(), columns.end(), column);
        column += shape[1];
        results.push_back(take(*reads[0], 1, columns));
      } else if (operation.op == Op::concat) {
        Tensor whole{reads[0]->dtype, shape, std::vector<double>(static_cast<size_t>(shape.elements()))};
        for (const Tensor* part : reads) {
          std::vector<int64_t> columns(static_cast<size_t>(part->shape[1]));
          std::iota(columns.begin(), columns.end(), column);
          column += part->shape[1];
          put(whole, 1, columns, *part);
        }
        results.push_back(std::move(whole));
      } else {
        results.push_back({reads[0]->dtype, shape, reads[0]->values});
      }
    }
    return results;
  }

  void collective(const Operation& operation) {
    const std::vector<Tensor>& from = at(operation.operands[0]);
    std::vector<Tensor> to;
    switch (operation.op) {
      case Op::all_reduce:
        to.assign(from.size(), sum(from));
        break;
      case Op::all_gather:
        to.assign(from.size(), collect(from, Placement::sharded(0), nullptr));
        break;
      case Op::reduce_scatter:
        to = distribute(sum(from), Placement::sharded(0), ranks_, nullptr, 0);
        break;
      case Op::exchange:
        ASSERT_EQ(ranks_, 1) << "rows change their places only between ranks";
        to = from;
        break;
      default:
        FAIL() << name_of(operation.op) << " is not computed here";
    }
    at(operation.results[0]) = std::move(to);
  }

  const Graph& graph_;
  int64_t ranks_;
  std::vector<std::vector<Tensor>> values_;
};

}  // namespace

std::vector<Tensor> distribute(const Tensor& whole, Placement placement, int64_t ranks, const RowMap* rows,
                               uint32_t seed) {
  std::vector<Tensor> parts;
  if (placement.kind == Kind::sharded) {
    for (int64_t r = 0; r < ranks; ++r)
      parts.push_back(take(whole, placement.dim, part_of(whole.shape[placement.dim], ranks, r, rows)));
    return parts;
  }
  parts.assign(static_cast<size_t>(ranks), whole);
  if (placement.kind != Kind::partial) return parts;
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (size_t r = 1; r < parts.size(); ++r)
    for (size_t i = 0; i < whole.values.size(); ++i) {
      parts[r].values[i] = uniform(random);
      parts[0].values[i] -= parts[r].values[i];
    }
  return parts;
}

Tensor collect(const std::vector<Tensor>& parts, Placement placement, const RowMap* rows) {
  const auto ranks = static_cast<int64_t>(parts.size());
  if (placement.kind == Kind::partial) return sum(parts);
  if (placement.kind != Kind::sharded) {
    for (const Tensor& part : parts) EXPECT_EQ(part.values, parts[0].values) << "a copy differs";
    return parts[0];
  }
  Tensor whole{parts[0].dtype, parts[0].shape, {}};
  whole.shape[placement.dim] *= ranks;
  whole.values.resize(static_cast<size_t>(whole.shape.elements()));
  for (int64_t r = 0; r < ranks; ++r)
    put(whole, placement.dim, part_of(whole.shape[placement.dim], ranks, r, rows),
        parts[static_cast<size_t>(r)]);
  return whole;
}

std::vector<std::vector<Tensor>> compute(const Graph& graph,
                                         const std::map<std::string, std::vector<Tensor>>& inputs) {
  return Evaluation(graph, inputs).take_values();
}

}  // namespace pleat::graph::testing
