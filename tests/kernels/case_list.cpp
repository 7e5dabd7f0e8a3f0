// SPDX-License-Identifier: Apache-2.0
#include "case_list.h"

#include <algorithm>
#include <map>

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

/// The operation, its first floating operand (else its first) and the dtype of its first result, if another.
std::string describe(const Signature& signature) {
  const auto& operands = signature.reads.empty() ? signature.writes : signature.reads;
  const auto floating = std::find_if(operands.begin(), operands.end(),
                                     [](const OperandType& type) { return base::is_floating(type.dtype); });
  const OperandType& operand = floating == operands.end() ? operands[0] : *floating;
  std::string text =
      fmt::format("{} {} {}", name_of(signature.op), to_string(operand.shape), name_of(operand.dtype));
  const base::DType result = signature.writes[0].dtype;
  if (result != operand.dtype) text += fmt::format(" to {}", name_of(result));
  return text;
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
  std::map<std::string, Signature> made;  // what has no activations is the same for several dtypes of them
  for (const Sizes& sizes : kSizes)
    for (base::DType activation : {base::DType::f32, base::DType::bf16, base::DType::f64}) {
      CaseList list(sizes, activation);
      add_row_cases(list);
      add_dense_cases(list);
      add_expert_cases(list);
      add_step_cases(list);
      for (Case& one : list.take()) {
        const auto [found, first] = made.emplace(one.name, one.signature);
        if (first)
          all.push_back(std::move(one));
        else if (found->second != one.signature)
          base::fail<base::CheckError>("two cases '{}'", one.name);
      }
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
