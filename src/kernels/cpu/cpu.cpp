// SPDX-License-Identifier: Apache-2.0
// The table of the fast kernels: operation, catalogue row, how to make it, what workspace it wants.
#include "kernels/cpu/cpu.h"

#include <array>
#include <initializer_list>

#include "base/errors.h"
#include "kernels/cpu/make.h"
#include "kernels/cpu/product.h"

namespace pleat::kernels::cpu {
namespace {

using base::DType;
using graph::Op;

struct Row {
  Op op;
  std::string_view name;
  Make* make;
  Workspace* workspace = nullptr;
  uint32_t strided = 0;  // operands whose rows may lie apart: reads from bit 0, results from bit 16
};

constexpr uint32_t strided(std::initializer_list<int> reads, std::initializer_list<int> writes) {
  uint32_t bits = 0;
  for (int i : reads) bits |= 1u << i;
  for (int i : writes) bits |= 1u << (16 + i);
  return bits;
}

constexpr std::string_view kProducts = "cpu.panels";
constexpr std::string_view kSimd = "cpu.simd";

constexpr std::array kRows{
    Row{Op::matmul, kProducts, make_matmul, matmul_workspace, strided({0, 1}, {0})},
    Row{Op::grouped_matmul, kProducts, make_grouped_matmul, grouped_matmul_workspace,
        strided({0, 1, 2}, {0})},
    Row{Op::grouped_outer, kProducts, make_grouped_outer, grouped_outer_workspace, strided({0, 1, 2}, {0})},
    Row{Op::cast, kSimd, make_cast, nullptr, strided({0}, {0})},
    Row{Op::scale, kSimd, make_scale, nullptr, strided({0}, {0})},
    Row{Op::add, kSimd, make_add, nullptr, strided({0, 1}, {0})},
    Row{Op::add_bias, kSimd, make_add_bias, nullptr, strided({0}, {0})},
    Row{Op::column_sum, kSimd, make_column_sum, column_sum_workspace, strided({0}, {})},
    Row{Op::token_sum, kSimd, make_token_sum},
    Row{Op::sum_squares, kSimd, make_sum_squares, sum_squares_workspace},
    Row{Op::embedding, kSimd, make_embedding, nullptr, strided({0}, {0})},
    Row{Op::embedding_grad, kSimd, make_embedding_grad, embedding_grad_workspace, strided({1}, {0})},
    Row{Op::rms_norm, kSimd, make_rms_norm, nullptr, strided({0}, {0})},
    Row{Op::rms_norm_grad, kSimd, make_rms_norm_grad, rms_norm_grad_workspace, strided({0, 3}, {0})},
    Row{Op::rope, kSimd, make_rope, nullptr, strided({0, 2}, {0})},
    Row{Op::swiglu, kSimd, make_swiglu, nullptr, strided({0, 1}, {0})},
    Row{Op::swiglu_grad, kSimd, make_swiglu_grad, nullptr, strided({0, 1, 2}, {0})},
    Row{Op::cross_entropy, kSimd, make_cross_entropy, nullptr, strided({0}, {})},
    Row{Op::cross_entropy_grad, kSimd, make_cross_entropy_grad, nullptr, strided({0}, {0})},
    Row{Op::attention, kSimd, make_attention, attention_workspace, strided({0, 1, 2}, {0})},
    Row{Op::attention_grad, kSimd, make_attention_grad, attention_grad_workspace,
        strided({0, 1, 2, 4, 6}, {0, 1, 2})},
    Row{Op::router, kSimd, make_router},
    Row{Op::router_grad, kSimd, make_router_grad},
    Row{Op::router_sums, kSimd, make_router_sums, router_sums_workspace},
    Row{Op::router_sums_grad, kSimd, make_router_sums_grad},
    Row{Op::route, kSimd, make_route, route_workspace},
    Row{Op::permute, kSimd, make_permute, nullptr, strided({0}, {0})},
    Row{Op::unpermute, kSimd, make_unpermute, nullptr, strided({0}, {0})},
    Row{Op::combine, kSimd, make_combine, nullptr, strided({0}, {0})},
    Row{Op::combine_grad, kSimd, make_combine_grad, nullptr, strided({0, 3}, {0})},
    Row{Op::adamw, kSimd, make_adamw},
};

const Row* row_of(Op op) {
  for (const Row& row : kRows)
    if (row.op == op) return &row;
  return nullptr;
}

/// Operations whose exact operands are f64 by definition, whatever the activations are.
bool has_exact_f64(Op op) {
  return op == Op::token_sum || op == Op::sum_squares || op == Op::adamw;
}

std::string stride_refusal(const Row& row, const Signature& s) {
  for (size_t i = 0; i < s.reads.size(); ++i)
    if (!s.reads[i].is_dense() && ((row.strided >> i) & 1u) == 0)
      return fmt::format("operand {} has rows apart ({} elements, stride {})", i,
                         s.reads[i].shape.row_elements(), s.reads[i].row_stride);
  for (size_t i = 0; i < s.writes.size(); ++i)
    if (!s.writes[i].is_dense() && ((row.strided >> (16 + i)) & 1u) == 0)
      return fmt::format("result {} has rows apart ({} elements, stride {})", i,
                         s.writes[i].shape.row_elements(), s.writes[i].row_stride);
  return {};
}

std::string refusal(std::string_view name, const Signature& s) {
  const Row* row = row_of(s.op);
  if (row == nullptr) return fmt::format("no fast kernel for {}", graph::name_of(s.op));
  if (row->name != name) return fmt::format("{} is served by {}", graph::name_of(s.op), row->name);
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return "this processor has no AVX2";
  const bool f64_first = !s.reads.empty() && s.reads[0].dtype == DType::f64;
  for (const auto* operands : {&s.reads, &s.writes})
    for (const auto& operand : *operands)
      if (operand.dtype == DType::f64 && (!has_exact_f64(s.op) || f64_first)) return "f64 is computed by ref";
  const bool attends = s.op == Op::attention || s.op == Op::attention_grad;
  if (attends && s.attributes.number("scale") <= 0) return "scores are scaled by a positive number only";
  return stride_refusal(*row, s);
}

}  // namespace

bool serves(std::string_view name, const Signature& signature, std::string* reason) {
  std::string why = refusal(name, signature);
  const bool served = why.empty();
  if (reason != nullptr) *reason = std::move(why);
  return served;
}

int64_t workspace_bytes(const Signature& signature, int team_size) {
  const Row* row = row_of(signature.op);
  return row == nullptr || row->workspace == nullptr ? 0 : row->workspace(signature, team_size);
}

std::unique_ptr<Kernel> bind(std::string_view name, const Signature& signature, int64_t workspace,
                             int team_size) {
  const std::string why = refusal(name, signature);
  if (!why.empty())
    base::fail<base::CheckError>("kernel {} for {}: {}", name, graph::name_of(signature.op), why);
  const int64_t wanted = workspace_bytes(signature, team_size);
  if (wanted > workspace)
    base::fail<base::CheckError>(
        "kernel {} for {} needs {} bytes of workspace for {} workers and was given {}", name,
        graph::name_of(signature.op), wanted, team_size, workspace);
  return row_of(signature.op)->make(signature, team_size);
}

}  // namespace pleat::kernels::cpu
