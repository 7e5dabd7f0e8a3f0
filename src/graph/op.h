// SPDX-License-Identifier: Apache-2.0
// The names of the operations and of their attributes. docs/operations.md gives operands, results and
// formulas; graph/ops/ gives each one's five facts; kernels/ref gives its meaning.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pleat::graph {

// clang-format off
enum class Op : uint8_t {
  // views: no instruction of their own
  share, reshape, split, concat,
  // elementwise and rows
  cast, add, scale, add_bias, column_sum, token_sum,
  // dense blocks
  embedding, embedding_grad, rms_norm, rms_norm_grad, matmul, rope_table, rope,
  attention, attention_grad, swiglu, swiglu_grad, cross_entropy, cross_entropy_grad,
  // mixture of experts
  router, router_grad, router_sums, router_sums_grad, balance_loss, balance_loss_grad,
  route, permute, unpermute, combine, combine_grad, grouped_matmul, grouped_outer, expert_counts,
  // communication
  all_reduce, all_gather, reduce_scatter, all_to_all, slice, exchange, send, receive,
  // once a step
  zero, load, sum_squares, clip, adamw, emit,
  count_
};

inline constexpr std::array<std::string_view, static_cast<size_t>(Op::count_)> kOpNames{
    "share", "reshape", "split", "concat",
    "cast", "add", "scale", "add_bias", "column_sum", "token_sum",
    "embedding", "embedding_grad", "rms_norm", "rms_norm_grad", "matmul", "rope_table", "rope",
    "attention", "attention_grad", "swiglu", "swiglu_grad", "cross_entropy", "cross_entropy_grad",
    "router", "router_grad", "router_sums", "router_sums_grad", "balance_loss", "balance_loss_grad",
    "route", "permute", "unpermute", "combine", "combine_grad", "grouped_matmul", "grouped_outer", "expert_counts",
    "all_reduce", "all_gather", "reduce_scatter", "all_to_all", "slice", "exchange", "send", "receive",
    "zero", "load", "sum_squares", "clip", "adamw", "emit"};
// clang-format on

constexpr std::string_view name_of(Op op) {
  return kOpNames[static_cast<size_t>(op)];
}
/// Throws JobError with the legal names.
Op op_named(std::string_view name);

constexpr bool is_communication(Op op) {
  return op >= Op::all_reduce && op <= Op::receive && op != Op::slice;
}
constexpr bool is_view(Op op) {
  return op <= Op::concat;
}

/// Its arithmetic is that of matrix products.
constexpr bool is_product(Op op) {
  return op == Op::matmul || op == Op::grouped_matmul || op == Op::grouped_outer || op == Op::attention ||
         op == Op::attention_grad;
}

/// Small sorted name -> number (or word) table. Looked up when compiling and binding, never in a step.
class Attributes {
 public:
  using Value = std::variant<int64_t, double, std::string>;
  Attributes() = default;
  Attributes(std::initializer_list<std::pair<std::string_view, Value>> entries);
  void set(std::string_view name, Value value);
  bool has(std::string_view name) const;
  /// Throw CheckError when the attribute is missing or of another kind.
  int64_t integer(std::string_view name) const;
  double number(std::string_view name) const;
  const std::string& word(std::string_view name) const;
  int64_t integer_or(std::string_view name, int64_t otherwise) const;

  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  bool operator==(const Attributes&) const = default;

 private:
  const Value& at(std::string_view name) const;
  std::vector<std::pair<std::string, Value>> entries_;
};

}  // namespace pleat::graph
