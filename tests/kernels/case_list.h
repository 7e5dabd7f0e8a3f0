// SPDX-License-Identifier: Apache-2.0
// How the cases are made: for each set of sizes and activation dtype one plain case of every operation, then
// the twins that follow from it: rows farther apart than their length, and results that accumulate.
#pragma once
#include <string>
#include <vector>

#include "cases.h"

namespace pleat::kernels::testing {

/// The letters of docs/operations.md.
struct Sizes {
  int64_t T, D, H, G, N, F, E, K, V, S, tile;
  /// Rows of an expert buffer that holds T * K pairs in the worst case.
  int64_t R() const { return T * K + E * tile; }
};

class CaseList {
 public:
  CaseList(const Sizes& sizes, base::DType activation);
  const Sizes& sizes() const { return sizes_; }

  using Dims = std::initializer_list<int64_t>;
  graph::OperandType a(Dims dims) const { return graph::OperandType::dense(activation_, base::Shape(dims)); }
  graph::OperandType x(Dims dims) const { return graph::OperandType::dense(exact_, base::Shape(dims)); }
  static graph::OperandType i32(Dims dims) {
    return graph::OperandType::dense(base::DType::i32, base::Shape(dims));
  }
  static graph::OperandType f32(Dims dims) {
    return graph::OperandType::dense(base::DType::f32, base::Shape(dims));
  }
  static graph::OperandType f64(Dims dims) {
    return graph::OperandType::dense(base::DType::f64, base::Shape(dims));
  }

  using Types = std::vector<graph::OperandType>;
  using Complete = std::function<void(Operands&)>;
  /// `accumulates`: the results that may. `note` tells cases of one operation and sizes apart.
  void add(graph::Op op, const graph::Attributes& attributes, const Types& reads, const Types& writes,
           Complete complete = {}, uint32_t accumulates = 0, const std::string& note = "");

  std::vector<Case> take() { return std::move(cases_); }

 private:
  Sizes sizes_;
  base::DType activation_;
  base::DType exact_;
  std::vector<Case> cases_;
};

void add_row_cases(CaseList& list);
void add_dense_cases(CaseList& list);
void add_expert_cases(CaseList& list);
void add_step_cases(CaseList& list);
std::vector<Case> make_cases();

/// What the reference kernel of `op` makes of these operands.
std::vector<Buffer> reference_results(graph::Op op, const graph::Attributes& attributes,
                                      const std::vector<const Buffer*>& reads,
                                      const std::vector<graph::OperandType>& writes);
/// Copies the elements; the row strides may differ.
void copy_elements(const Buffer& from, const Buffer& to);

}  // namespace pleat::kernels::testing
