// SPDX-License-Identifier: Apache-2.0
#include "verify/operands.h"

#include <array>

#include "base/errors.h"

namespace pleat::verify {
namespace {

using graph::Op;
using graph::OperandType;

/// Numbers of reads and of results. An operation that is not here has none that are legal.
struct Arity {
  Op op;
  int least_reads, most_reads, results;
};
constexpr std::array kArities{Arity{Op::cast, 1, 1, 1},
                              Arity{Op::add, 2, 2, 1},
                              Arity{Op::scale, 1, 1, 1},
                              Arity{Op::add_bias, 2, 2, 1},
                              Arity{Op::column_sum, 1, 1, 1},
                              Arity{Op::token_sum, 1, 1, 1},
                              Arity{Op::embedding, 2, 2, 1},
                              Arity{Op::embedding_grad, 2, 2, 1},
                              Arity{Op::rms_norm, 2, 2, 2},
                              Arity{Op::rms_norm_grad, 4, 4, 2},
                              Arity{Op::matmul, 2, 2, 1},
                              Arity{Op::rope_table, 0, 0, 1},
                              Arity{Op::rope, 3, 3, 1},
                              Arity{Op::attention, 4, 4, 2},
                              Arity{Op::attention_grad, 7, 7, 3},
                              Arity{Op::swiglu, 1, 2, 1},
                              Arity{Op::swiglu_grad, 2, 3, 1},
                              Arity{Op::cross_entropy, 3, 3, 2},
                              Arity{Op::cross_entropy_grad, 5, 5, 1},
                              Arity{Op::router, 1, 1, 4},
                              Arity{Op::router_grad, 6, 6, 1},
                              Arity{Op::router_sums, 3, 3, 3},
                              Arity{Op::router_sums_grad, 3, 3, 2},
                              Arity{Op::balance_loss, 2, 2, 1},
                              Arity{Op::balance_loss_grad, 2, 2, 1},
                              Arity{Op::route, 1, 1, 2},
                              Arity{Op::permute, 2, 2, 1},
                              Arity{Op::unpermute, 2, 2, 1},
                              Arity{Op::combine, 3, 3, 1},
                              Arity{Op::combine_grad, 4, 4, 2},
                              Arity{Op::grouped_matmul, 3, 3, 1},
                              Arity{Op::grouped_outer, 3, 3, 1},
                              Arity{Op::expert_counts, 1, 1, 1},
                              Arity{Op::all_reduce, 1, 1, 1},
                              Arity{Op::all_gather, 1, 1, 1},
                              Arity{Op::reduce_scatter, 1, 1, 1},
                              Arity{Op::all_to_all, 1, 1, 1},
                              Arity{Op::slice, 1, 1, 1},
                              Arity{Op::exchange, 2, 2, 1},
                              Arity{Op::send, 1, 1, 0},
                              Arity{Op::receive, 0, 0, 1},
                              Arity{Op::zero, 0, 0, 1},
                              Arity{Op::load, 0, 0, 1},
                              Arity{Op::sum_squares, 1, 1, 1},
                              Arity{Op::clip, 2, 2, 3},
                              Arity{Op::adamw, 4, 4, 3},
                              Arity{Op::emit, 1, 1, 0}};

std::string exchange_problem(const program::Instruction& i, int64_t members) {
  const OperandType &from = i.reads[0].type, &all = i.reads[1].type, &to = i.results[0].region.type;
  for (std::string_view name : {"experts", "tile", "inverse"})
    if (!i.attributes.has(name)) return fmt::format("has no attribute '{}'", name);
  if (from.dtype != to.dtype || from.shape.dims() != 2 || to.shape.dims() != 2 ||
      from.shape[1] != to.shape[1])
    return "moves rows into rows of another kind";
  if (all.dtype != base::DType::i32 || all.shape.dims() != 2 || all.shape[0] != members)
    return fmt::format("wants the counts of all {} sources", members);
  return {};
}

std::string communication_problem(const layout::Layout& layout, const program::Instruction& i) {
  for (const auto& effect : program::effects(i))
    if (!effect.region.type.is_dense()) return "communicates rows with gaps between";
  if (i.op == Op::send || i.op == Op::receive || !i.party) return {};
  const int64_t members = members_of(layout, *i.party);
  if (i.op == Op::exchange) return exchange_problem(i, members);
  const OperandType &from = i.reads[0].type, &to = i.results[0].region.type;
  if (from.dtype != to.dtype) return "changes the dtype";
  const int64_t have = from.shape.elements(), get = to.shape.elements();
  const bool right = i.op == Op::all_gather       ? get == have * members
                     : i.op == Op::reduce_scatter ? have == get * members
                     : i.op == Op::all_to_all     ? have == get && have % members == 0
                                                  : have == get;
  if (!right) return fmt::format("{} elements become {} over {} ranks", have, get, members);
  return {};
}

}  // namespace

int64_t members_of(const layout::Layout& layout, const program::Party& party) {
  const int64_t all = layout.size(party.axes);
  return party.stages.empty() ? all : all / layout.stages() * static_cast<int64_t>(party.stages.size());
}

std::string port_of(const program::Instruction& instruction) {
  for (const auto& [name, value] : instruction.attributes)
    if (name == "port")
      if (const auto* word = std::get_if<std::string>(&value)) return *word;
  return {};
}

std::string operand_problem(const layout::Layout& layout, const program::Instruction& i) {
  for (const Arity& arity : kArities) {
    if (arity.op != i.op) continue;
    const int reads = static_cast<int>(i.reads.size()), results = static_cast<int>(i.results.size());
    if (reads < arity.least_reads || reads > arity.most_reads || results != arity.results)
      return fmt::format("{} operands and {} results; it has {} and {}", reads, results, arity.most_reads,
                         arity.results);
    return graph::is_communication(i.op) ? communication_problem(layout, i) : std::string();
  }
  return "is no instruction";
}

}  // namespace pleat::verify
