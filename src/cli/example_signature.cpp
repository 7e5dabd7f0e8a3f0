// SPDX-License-Identifier: Apache-2.0
#include "cli/example_signature.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>

#include "base/errors.h"
#include "config/suggest.h"
#include "graph/facts.h"

namespace pleat::cli {
namespace {

using base::DType;
using graph::Attributes;
using graph::Op;
using graph::Plain;

/// As in docs/operations.md: A the activation dtype, X the exact one.
struct Types {
  DType a, x;
};
using Dims = std::span<const int64_t>;

struct Example {
  Attributes attributes;
  std::vector<Plain> operands;
  std::vector<Plain> results{};  // empty: from the operation's facts
};

constexpr int64_t kTile = 16;  // rows; as the model lays out its experts
constexpr DType kIndex = DType::i32;
constexpr int64_t kYes = 1, kNo = 0;

// ---- dense blocks
// --------------------------------------------------------------------------------------------

Example matmul(Types t, Dims d) {
  return {{{"transpose_a", kNo}, {"transpose_b", kYes}, {"to", std::string(base::name_of(t.a))}},
          {{t.a, {d[0], d[1]}}, {t.a, {d[2], d[1]}}}};
}
Example cast(Types t, Dims d) {
  const DType to = t.a == DType::bf16 ? DType::f32 : DType::bf16;
  return {{{"to", std::string(base::name_of(to))}}, {{t.a, {d[0], d[1]}}}};
}
Example add(Types t, Dims d) {
  return {{}, {{t.a, {d[0], d[1]}}, {t.a, {d[0], d[1]}}}};
}
Example scale(Types t, Dims d) {
  return {{{"factor", 0.5}}, {{t.a, {d[0], d[1]}}}};
}
Example add_bias(Types t, Dims d) {
  return {{}, {{t.a, {d[0], d[1]}}, {t.a, {d[1]}}}};
}
Example column_sum(Types t, Dims d) {
  return {{}, {{t.a, {d[0], d[1]}}}};
}
Example token_sum(Types t, Dims d) {
  return {{}, {{t.x, {d[0]}}}};
}
Example embedding(Types t, Dims d) {
  return {{}, {{t.a, {d[1], d[2]}}, {kIndex, {d[0]}}}};
}
Example embedding_grad(Types t, Dims d) {
  return {{{"vocabulary", d[1]}}, {{kIndex, {d[0]}}, {t.a, {d[0], d[2]}}}};
}
Example rms_norm(Types t, Dims d) {
  return {{{"eps", 1e-6}}, {{t.a, {d[0], d[1]}}, {t.x, {d[1]}}}};
}
Example rms_norm_grad(Types t, Dims d) {
  return {{{"eps", 1e-6}}, {{t.a, {d[0], d[1]}}, {t.x, {d[1]}}, {t.x, {d[0]}}, {t.a, {d[0], d[1]}}}};
}
Example rope(Types t, Dims d) {
  return {{{"inverse", kNo}}, {{t.a, {d[0], d[1], d[2]}}, {kIndex, {d[0]}}, {t.x, {d[0], d[2]}}}};
}
Example attention(Types t, Dims d) {
  const Attributes attributes{
      {"sequence", d[0]}, {"window", kNo}, {"scale", 1.0 / std::sqrt(static_cast<double>(d[3]))}};
  const Plain kv{t.a, {d[0], d[2], d[3]}};
  return {attributes, {{t.a, {d[0], d[1], d[3]}}, kv, kv, {kIndex, {d[0]}}}};
}
Example attention_grad(Types t, Dims d) {
  Example example = attention(t, d);
  const Plain q = example.operands[0];
  for (const Plain& more : {q, Plain{t.x, {d[0], d[1]}}, q}) example.operands.push_back(more);
  return example;
}
Example swiglu(Types t, Dims d) {
  return {{}, {{t.a, {d[0], 2 * d[1]}}}};
}
Example swiglu_grad(Types t, Dims d) {
  return {{}, {{t.a, {d[0], 2 * d[1]}}, {t.a, {d[0], d[1]}}}};
}
Example cross_entropy(Types t, Dims d) {
  return {{}, {{t.a, {d[0], d[1]}}, {kIndex, {d[0]}}, {DType::f32, {d[0]}}}};
}
Example cross_entropy_grad(Types t, Dims d) {
  Example example = cross_entropy(t, d);
  for (int i = 0; i < 2; ++i) example.operands.push_back({t.x, {d[0]}});
  return example;
}

// ---- mixture of experts
// --------------------------------------------------------------------------------------

Example router(Types t, Dims d) {
  return {{{"top_k", d[2]}, {"renormalise", kYes}}, {{t.x, {d[0], d[1]}}}};
}
Example router_grad(Types t, Dims d) {
  const Plain picks{t.x, {d[0], d[2]}}, probs{t.x, {d[0], d[1]}};
  return {{{"top_k", d[2]}, {"renormalise", kYes}},
          {probs, picks, {kIndex, {d[0], d[2]}}, picks, probs, {t.x, {d[0]}}}};
}
Example router_sums(Types t, Dims d) {
  return {{{"groups", int64_t{1}}}, {{t.x, {d[0], d[1]}}, {kIndex, {d[0], d[2]}}, {t.x, {d[0]}}}};
}
Example router_sums_grad(Types t, Dims d) {
  return {{{"groups", int64_t{1}}, {"experts", d[1]}}, {{t.x, {d[0]}}, {t.x, {1, d[1]}}, {t.x, {1}}}};
}
Example route(Types, Dims d) {
  return {{{"experts", d[1]}, {"tile", kTile}, {"sources", int64_t{1}}}, {{kIndex, {d[0], d[2]}}}};
}
Example permute(Types t, Dims d) {
  return {{{"rows", d[0] * d[2]}}, {{t.a, {d[0], d[1]}}, {kIndex, {d[0], d[2]}}}};
}
Example unpermute(Types t, Dims d) {
  return {{}, {{t.a, {d[0] * d[2], d[1]}}, {kIndex, {d[0], d[2]}}}};
}
Example combine(Types t, Dims d) {
  return {{}, {{t.a, {d[0] * d[2], d[1]}}, {kIndex, {d[0], d[2]}}, {t.x, {d[0], d[2]}}}};
}
Example combine_grad(Types t, Dims d) {
  Example example = combine(t, d);
  example.operands.push_back({t.a, {d[0], d[1]}});
  return example;
}
Attributes expert_rows(Dims d) {
  return {{"tile", kTile}, {"balanced", static_cast<double>(d[1])}};
}
Example grouped_matmul(Types t, Dims d) {
  Attributes attributes = expert_rows(d);
  attributes.set("transpose_b", kYes);
  return {attributes, {{t.a, {d[1], d[2]}}, {t.a, {d[0], d[3], d[2]}}, {kIndex, {1, d[0]}}}};
}
Example grouped_outer(Types t, Dims d) {
  Attributes attributes = expert_rows(d);
  attributes.set("experts", d[0]);
  return {attributes, {{t.a, {d[1], d[3]}}, {t.a, {d[1], d[2]}}, {kIndex, {1, d[0]}}}};
}

// ---- once a step
// ---------------------------------------------------------------------------------------------

const Plain kScalars{DType::f64, {8}}, kFactor{DType::f64, {1}}, kGuard{kIndex, {1}};

Example zero(Types t, Dims d) {
  return {{}, {}, {{t.a, {d[0]}}}};
}
Example sum_squares(Types t, Dims d) {
  return {{{"tensors", int64_t{1}}}, {{t.x, {d[0]}}}, {{DType::f64, {1}}}};
}
Example clip(Types, Dims d) {
  return {{{"max_norm", 1.0}}, {{DType::f64, {d[0]}}, kScalars}, {kFactor, kFactor, kGuard}};
}
Example adamw(Types t, Dims d) {
  const Plain n{t.x, {d[0]}};
  return {{{"beta1", 0.9}, {"beta2", 0.95}, {"eps", 1e-8}, {"weight_decay", 0.1}},
          {n, kFactor, kGuard, kScalars},
          {n, n, n}};
}

struct Row {
  Op op;
  std::string_view letters;  // one per dim of the shape
  Example (*make)(Types, Dims);
};

constexpr std::array kRows{
    Row{Op::matmul, "MKN", matmul},
    Row{Op::grouped_matmul, "ERKN", grouped_matmul},
    Row{Op::grouped_outer, "ERKN", grouped_outer},
    Row{Op::attention, "SHGN", attention},
    Row{Op::attention_grad, "SHGN", attention_grad},
    Row{Op::rms_norm, "TD", rms_norm},
    Row{Op::rms_norm_grad, "TD", rms_norm_grad},
    Row{Op::rope, "THN", rope},
    Row{Op::swiglu, "TF", swiglu},
    Row{Op::swiglu_grad, "TF", swiglu_grad},
    Row{Op::embedding, "TVD", embedding},
    Row{Op::embedding_grad, "TVD", embedding_grad},
    Row{Op::cross_entropy, "TV", cross_entropy},
    Row{Op::cross_entropy_grad, "TV", cross_entropy_grad},
    Row{Op::router, "TEK", router},
    Row{Op::router_grad, "TEK", router_grad},
    Row{Op::router_sums, "TEK", router_sums},
    Row{Op::router_sums_grad, "TEK", router_sums_grad},
    Row{Op::route, "TEK", route},
    Row{Op::permute, "TDK", permute},
    Row{Op::unpermute, "TDK", unpermute},
    Row{Op::combine, "TDK", combine},
    Row{Op::combine_grad, "TDK", combine_grad},
    Row{Op::cast, "TD", cast},
    Row{Op::add, "TD", add},
    Row{Op::scale, "TD", scale},
    Row{Op::add_bias, "TD", add_bias},
    Row{Op::column_sum, "TD", column_sum},
    Row{Op::token_sum, "T", token_sum},
    Row{Op::zero, "n", zero},
    Row{Op::sum_squares, "n", sum_squares},
    Row{Op::clip, "n", clip},
    Row{Op::adamw, "n", adamw},
};

std::string spelled(std::string_view letters) {
  std::string text;
  for (char letter : letters) text += (text.empty() ? "" : "x") + std::string(1, letter);
  return text;
}

const Row& row_named(std::string_view name) {
  std::vector<std::string> names;
  for (const Row& row : kRows) {
    if (graph::name_of(row.op) == name) return row;
    names.emplace_back(graph::name_of(row.op));
  }
  const auto other = std::find(graph::kOpNames.begin(), graph::kOpNames.end(), name);
  if (other == graph::kOpNames.end())
    base::fail<base::JobError>("no operation '{}'{}; explain knows {}", name,
                               config::did_you_mean(config::nearest(name, names)), fmt::join(names, ", "));
  const Op op = graph::op_named(name);
  const std::string_view why = graph::is_view(op)            ? "a view, which takes no time"
                               : graph::is_communication(op) ? "a communication, which communicators do"
                                                             : "chosen without a question of shape";
  base::fail<base::JobError>("{} is {}; explain knows {}", name, why, fmt::join(names, ", "));
}

std::vector<int64_t> parse_shape(const Row& row, std::string_view text) {
  constexpr int64_t kMost = int64_t{1} << 31;
  std::vector<int64_t> dims;
  const char *at = text.data(), *end = at + text.size();
  while (true) {
    int64_t dim = 0;
    const auto [next, error] = std::from_chars(at, end, dim);
    if (error != std::errc() || dim < 1 || dim > kMost) break;
    dims.push_back(dim);
    if (next == end && dims.size() == row.letters.size()) return dims;
    if (next == end || *next != 'x') break;
    at = next + 1;
  }
  base::fail<base::JobError>("shape '{}': {} takes {}, positive numbers with x between them", text,
                             graph::name_of(row.op), spelled(row.letters));
}

std::vector<graph::OperandType> dense(const std::vector<Plain>& values) {
  std::vector<graph::OperandType> types;
  for (const Plain& value : values) types.push_back(graph::OperandType::dense(value.dtype, value.shape));
  return types;
}

}  // namespace

graph::Signature example_signature(std::string_view operation, DType dtype, std::string_view shape) {
  const Row& row = row_named(operation);
  const Types types{dtype, dtype == DType::f64 ? DType::f64 : DType::f32};
  Example example = row.make(types, parse_shape(row, shape));
  if (example.results.empty())
    example.results = graph::facts_of(row.op).results({example.attributes, example.operands, types.x});
  return {row.op, example.attributes, dense(example.operands), dense(example.results), 0};
}

std::string example_shapes() {
  std::string text;
  for (const Row& row : kRows)
    text += fmt::format("  {:20} {}\n", graph::name_of(row.op), spelled(row.letters));
  return text;
}

}  // namespace pleat::cli
