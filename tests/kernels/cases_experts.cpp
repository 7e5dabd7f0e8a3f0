// SPDX-License-Identifier: Apache-2.0
// Cases of the router and of everything on expert rows, and of the operations once a step. Padding rows hold
// NaN, so a kernel that reads them shows it.
#include <cmath>
#include <limits>

#include "case_list.h"

namespace pleat::kernels::testing {

namespace {

using graph::Attributes;
using graph::Op;
using graph::OperandType;
using tensor::View;

/// A top-k choice that leaves expert 1 without a token; later tokens prefer low experts.
void fill_indices(const Buffer& indices, int64_t experts) {
  const View view = indices.view();
  for (int64_t t = 0; t < view.rows(); ++t) {
    int64_t expert = t * t % experts;
    for (int64_t k = 0; k < view.columns(); ++k, ++expert) {
      if (expert % experts == 1) ++expert;
      view.set(t, k, static_cast<double>(expert % experts));
    }
  }
}

/// Rows of the choice above.
void fill_rows(const Buffer& rows, const Sizes& z) {
  const Buffer indices(rows.type());
  fill_indices(indices, z.E);
  const Attributes attributes{{"experts", z.E}, {"tile", z.tile}};
  const auto counts = CaseList::i32({1, z.E});
  copy_elements(reference_results(Op::route, attributes, {&indices}, {rows.type(), counts})[0], rows);
}

/// Two sources; expert 1 gets nothing, the others uneven numbers.
void fill_counts(const Buffer& counts, const Sizes& z) {
  for (int64_t p = 0; p < counts.view().rows(); ++p)
    for (int64_t e = 0; e < z.E; ++e)
      counts.view().set(p, e,
                        e == 1 ? 0 : static_cast<double>((3 * e + 5 * p + 2) % (z.T * z.K / (2 * z.E) + 1)));
}

/// NaN in every row that belongs to no expert.
void poison_padding(const Buffer& buffer, const Buffer& counts, int64_t tile) {
  const View view = buffer.view(), count = counts.view();
  std::vector<bool> used(static_cast<size_t>(view.rows()));
  int64_t start = 0;
  for (int64_t e = 0; e < count.columns(); ++e) {
    int64_t rows = 0;
    for (int64_t p = 0; p < count.rows(); ++p) rows += count.integer(p, e);
    for (int64_t r = start; r < std::min(start + rows, view.rows()); ++r) used[r] = true;
    start += (rows + tile - 1) / tile * tile;
  }
  for (int64_t r = 0; r < view.rows(); ++r)
    for (int64_t c = 0; !used[r] && c < view.columns(); ++c)
      view.set(r, c, std::numeric_limits<double>::quiet_NaN());
}

/// NaN in every row that `rows` does not name.
void poison_unnamed(const Buffer& buffer, const Buffer& rows) {
  const View view = buffer.view();
  std::vector<bool> used(static_cast<size_t>(view.rows()));
  for (double row : rows.numbers())
    if (row < static_cast<double>(view.rows())) used[static_cast<size_t>(row)] = true;
  for (int64_t r = 0; r < view.rows(); ++r)
    for (int64_t c = 0; !used[r] && c < view.columns(); ++c)
      view.set(r, c, std::numeric_limits<double>::quiet_NaN());
}

void add_router(CaseList& list, int64_t renormalise) {
  const Sizes z = list.sizes();
  const Attributes attributes{{"top_k", z.K}, {"renormalise", renormalise}};
  const std::string note = renormalise == 0 ? "" : "renormalise";
  const OperandType probs = list.x({z.T, z.E}), weights = list.x({z.T, z.K}), lse = list.x({z.T});
  const OperandType indices = list.i32({z.T, z.K});
  const auto tie = [](Operands& o) {  // token 0 sees equal experts, token 1 two equal pairs
    const View logits = o.reads[0].view();
    for (int64_t e = 0; e < logits.columns(); ++e)
      logits.set(0, e, 0.5), logits.set(1, e, e % 2 == 0 ? 0.25 : 0.75);
  };
  list.add(Op::router, attributes, {probs}, {probs, weights, indices, lse}, tie, 0, note);
  const auto forward = [=](Operands& o) {  // probs holds numbers that serve as logits
    const auto results =
        reference_results(Op::router, attributes, {&o.reads[0]}, {probs, weights, indices, lse});
    for (size_t i = 0; i < 3; ++i) copy_elements(results[i], o.reads[i]);
  };
  list.add(Op::router_grad, attributes, {probs, weights, indices, weights, probs, lse}, {probs}, forward, 0,
           note);
}

void add_router_sums(CaseList& list) {
  const Sizes z = list.sizes();
  const OperandType probs = list.x({z.T, z.E}), lse = list.x({z.T}), indices = list.i32({z.T, z.K});
  for (int64_t groups : {int64_t{1}, z.T / z.S}) {
    const OperandType sums = list.x({groups, z.E}), squares = list.x({groups});
    const std::string note = groups == 1 ? "pooled" : "";
    list.add(
        Op::router_sums, {{"groups", groups}}, {probs, indices, lse}, {sums, sums, squares},
        [z](Operands& o) { fill_indices(o.reads[1], z.E); }, 0, note);
    list.add(Op::router_sums_grad, {{"groups", groups}, {"experts", z.E}}, {lse, sums, squares}, {probs, lse},
             {}, 0, note);
    list.add(Op::balance_loss, {{"rows", z.T}}, {sums, sums}, {squares}, {}, 0, note);
    list.add(Op::balance_loss_grad, {{"rows", z.T}}, {sums, squares}, {sums}, {}, 0, note);
  }
}

/// `bound` rows: all that can be needed, or so few that kernels must clamp.
void add_rows(CaseList& list, int64_t bound, const std::string& note) {
  const Sizes z = list.sizes();
  const OperandType x = list.a({z.T, z.D}), y = list.a({bound, z.D}), weights = list.x({z.T, z.K});
  const OperandType rows = list.i32({z.T, z.K});
  const auto named = [z](Operands& o) { fill_rows(o.reads[1], z), poison_unnamed(o.reads[0], o.reads[1]); };
  list.add(Op::permute, {}, {x, rows}, {y}, [z](Operands& o) { fill_rows(o.reads[1], z); }, 0, note);
  list.add(Op::unpermute, {}, {y, rows}, {x}, named, 0, note);
  list.add(Op::combine, {}, {y, rows, weights}, {x}, named, 0, note);
  list.add(Op::combine_grad, {}, {y, rows, weights, x}, {y, weights}, named, 0, note);
}

std::string joined(const std::string& note, const char* more) {
  return note.empty() ? more : note + " " + more;
}

void add_grouped(CaseList& list, int64_t sources, int64_t bound, const std::string& note) {
  const Sizes z = list.sizes();
  const OperandType x = list.a({bound, z.D}), y = list.a({bound, z.F}), both = list.a({bound, 2 * z.F});
  const OperandType counts = list.i32({sources, z.E});
  const auto poison = [z](Operands& o, const Buffer& made, std::initializer_list<size_t> buffers) {
    fill_counts(made, z);
    for (size_t i : buffers) poison_padding(o.reads[i], made, z.tile);
  };
  const auto one = [poison](Operands& o) { poison(o, o.reads.back(), {0}); };
  const auto two = [poison](Operands& o) { poison(o, o.reads.back(), {0, 1}); };
  for (int64_t transpose : {0, 1}) {
    const OperandType w = transpose != 0 ? list.a({z.E, z.F, z.D}) : list.a({z.E, z.D, z.F});
    list.add(Op::grouped_matmul, {{"transpose_b", transpose}, {"tile", z.tile}}, {x, w, counts}, {y}, one, 0,
             joined(note, transpose != 0 ? "nt" : "nn"));
  }
  list.add(Op::grouped_outer, {{"tile", z.tile}}, {y, x, counts}, {list.x({z.E, z.F, z.D})}, two, 1, note);
  list.add(Op::swiglu, {{"tile", z.tile}}, {both, counts}, {y}, one, 0, joined(note, "ragged"));
  list.add(Op::swiglu_grad, {{"tile", z.tile}}, {both, y, counts}, {both}, two, 0, joined(note, "ragged"));
}

void fill_adamw(Operands& o, double guard) {
  o.reads[1].view().set(0, 0.5);
  o.reads[2].view().set(0, guard);
  constexpr double kScalars[] = {0.01, 3, 1, 1};  // learning rate, step
  for (int64_t i = 0; i < 4; ++i) o.reads[3].view().set(i, kScalars[i]);
  for (size_t w = 0; w < 3; ++w) {
    const View view = o.writes[w].view();
    for (int64_t i = 0; i < view.rows(); ++i) {
      const double x = std::sin(static_cast<double>(i) + static_cast<double>(w));
      view.set(i, w == 2 ? x * x : x);
    }
  }
}

}  // namespace

void add_expert_cases(CaseList& list) {
  const Sizes z = list.sizes();
  for (int64_t renormalise : {0, 1}) add_router(list, renormalise);
  add_router_sums(list);
  const OperandType indices = list.i32({z.T, z.K});
  list.add(Op::route, {{"experts", z.E}, {"tile", z.tile}}, {indices}, {indices, list.i32({1, z.E})},
           [z](Operands& o) { fill_indices(o.reads[0], z.E); });
  add_rows(list, z.R(), "");
  add_rows(list, z.T * z.K / 2, "clamped");
  add_grouped(list, 1, z.R(), "");
  add_grouped(list, 2, z.R(), "two sources");
  add_grouped(list, 2, std::max<int64_t>(z.T / 4, 2), "clamped");
  list.add(Op::expert_counts, {{"index", int64_t{1}}, {"parts", z.E}}, {list.i32({3, z.E})},
           {list.i32({3, 1})}, [z](Operands& o) { fill_counts(o.reads[0], z); });
}

void add_step_cases(CaseList& list) {
  const Sizes z = list.sizes();
  const OperandType flat = list.x({z.T * z.D}), scalars = list.f64({8}), one = list.f64({1});
  list.add(Op::sum_squares, {{"tensors", z.T}}, {flat}, {list.f64({z.T})});
  for (double max_norm : {0.0, 1.0})
    list.add(
        Op::clip, {{"max_norm", max_norm}}, {list.f64({z.T}), scalars}, {one, one, list.i32({1})},
        [](Operands& o) {
          const View squares = o.reads[0].view();
          for (int64_t i = 0; i < squares.rows(); ++i) squares.set(i, std::fabs(squares.get(i)));
        },
        0, max_norm == 0 ? "none" : "");
  const Attributes attributes{{"beta1", 0.9}, {"beta2", 0.95}, {"eps", 1e-8}, {"weight_decay", 0.1}};
  for (double guard : {1.0, 0.0})
    list.add(
        Op::adamw, attributes, {flat, one, list.i32({1}), scalars}, {flat, flat, flat},
        [guard](Operands& o) { fill_adamw(o, guard); }, 0, guard == 0 ? "guarded" : "");
}

}  // namespace pleat::kernels::testing
