// SPDX-License-Identifier: Apache-2.0
#include "case_list.h"

#include <algorithm>

#include "kernels/ref/ref.h"

namespace pleat::kernels::testing {

namespace {

using graph::Op;
using graph::OperandType;
using graph::Signature;

// Odd and small, odd and wider than a vector with its remainder, and the round numbers of real models.
constexpr Sizes kSizes[] = {
    {.T = 6, .D = 5, .H = 2, .G = 1, .N = 2, .F = 3, .E = 3, .K = 2, .V = 7, .S = 3, .tile = 1},
    {.T = 51, .D = 37, .H = 6, .G = 2, .N = 10, .F = 19, .E = 5, .K = 3, .V = 131, .S = 17, .tile = 4},
    {.T = 64, .D = 64, .H = 4, .G = 2, .N = 32, .F = 32, .E = 8, .K = 2, .V = 256, .S = 32, .tile = 16},
};

/// A stride that keeps no alignment where the dims have none.
OperandType apart(OperandType type) {
  if (type.shape.dims() > 1 && base::is_floating(type.dtype))
    type.row_stride += type.shape[type.shape.dims() - 1] + 3;
  return type;
}

std::string describe(const Signature& signature) {
  const OperandType& operand = signature.reads.empty() ? signature.writes[0] : signature.reads[0];
  return fmt::format("{} {} {}", name_of(signature.op), to_string(operand.shape), name_of(operand.dtype));
}

}  // namespace

CaseList::CaseList(const Sizes& sizes, base::DType activation)
    : sizes_(sizes),
      activation_(activation),
      exact_(activation == base::DType::f64 ? base::DType::f64 : base::DType::f32) {}

void CaseList::add(Op op, const graph::Attributes& attributes, const Types& reads, const Types& writes,
                   Complete complete, uint32_t accumulates, const std::string& note) {
  Signature plain{op, attributes, reads, writes, 0};
  const std::string name = describe(plain) + (note.empty() ? "" : " " + note);
  if (activation_ == base::DType::bf16 && !reads.empty()) {  // what has no A operand has been added with f32
    bool has_activation = false;
    for (const Types* types : {&reads, &writes})
      for (const OperandType& type : *types) has_activation |= type.dtype == activation_;
    if (!has_activation) return;
  }
  cases_.push_back({name, plain, complete});
  if (accumulates != 0) {
    Signature accumulating = plain;
    accumulating.accumulates = accumulates;
    cases_.push_back({name + " accumulating", accumulating, complete});
  }
  Signature strided = plain;
  strided.accumulates = accumulates;
  for (OperandType& type : strided.reads) type = apart(type);
  for (OperandType& type : strided.writes) type = apart(type);
  if (strided.reads != plain.reads || strided.writes != plain.writes)
    cases_.push_back({name + " strided", strided, complete});
}

std::vector<Case> make_cases() {
  std::vector<Case> all;
  for (const Sizes& sizes : kSizes)
    for (base::DType activation : {base::DType::f32, base::DType::bf16, base::DType::f64}) {
      CaseList list(sizes, activation);
      add_row_cases(list);
      add_dense_cases(list);
      add_expert_cases(list);
      add_step_cases(list);
      for (Case& made : list.take()) all.push_back(std::move(made));
    }
  std::stable_sort(all.begin(), all.end(),
                   [](const Case& a, const Case& b) { return a.signature.op < b.signature.op; });
  return all;
}

std::vector<Buffer> reference_results(Op op, const graph::Attributes& attributes,
                                      const std::vector<const Buffer*>& reads,
                                      const std::vector<OperandType>& writes) {
  Signature signature{op, attributes, {}, writes, 0};
  std::vector<std::byte*> inputs, outputs;
  for (const Buffer* buffer : reads) {
    signature.reads.push_back(buffer->type());
    inputs.push_back(buffer->data());
  }
  std::vector<Buffer> results;
  for (const OperandType& type : writes) outputs.push_back(results.emplace_back(type).data());
  Team team(1);
  ref::bind(signature)->run({inputs, outputs, nullptr, true}, team);
  return results;
}

void copy_elements(const Buffer& from, const Buffer& to) {
  const tensor::View source = from.view(), target = to.view();
  for (int64_t r = 0; r < source.rows(); ++r)
    for (int64_t c = 0; c < source.columns(); ++c) target.set(r, c, source.get(r, c));
}

}  // namespace pleat::kernels::testing
