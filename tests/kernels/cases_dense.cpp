// SPDX-License-Identifier: Apache-2.0
// Cases of the row operations and of the dense blocks.
#include <cmath>

#include "base/philox.h"
#include "case_list.h"

namespace pleat::kernels::testing {

namespace {

using graph::Attributes;
using graph::Op;
using tensor::View;

/// Whole numbers in [0, bound), both ends among them where there is room.
void fill_ids(const Buffer& ids, int64_t bound) {
  const base::RandomStream random(7, "ids", to_string(ids.type().shape));
  const View view = ids.view();
  for (int64_t t = 0; t < view.rows(); ++t)
    view.set(t, std::floor(static_cast<double>(bound) * random.uniform(static_cast<uint64_t>(t))));
  if (view.rows() > 1) view.set(0, static_cast<double>(bound - 1)), view.set(1, 0);
}

/// Documents of uneven lengths that do not respect the samples.
void fill_documents(const Buffer& documents) {
  for (int64_t t = 0; t < documents.view().rows(); ++t)
    documents.view().set(t, std::floor(std::sqrt(static_cast<double>(t))));
}

/// Targets; tokens without one have weight 0.
void fill_targets(const Buffer& targets, const Buffer& weights, int64_t vocabulary) {
  constexpr double kWeights[] = {1, 0.5, 0, 1, 2};
  fill_ids(targets, vocabulary);
  for (int64_t t = 0; t < targets.view().rows(); ++t) {
    weights.view().set(t, kWeights[t % 5]);
    if (kWeights[t % 5] == 0) targets.view().set(t, -100);
  }
}

void add_cross_entropy(CaseList& list) {
  const Sizes z = list.sizes();
  const auto logits = list.a({z.T, z.V}), loss = list.x({z.T});
  const auto targets = list.i32({z.T}), weights = list.f32({z.T});
  list.add(Op::cross_entropy, {}, {logits, targets, weights}, {loss, loss},
           [z](Operands& o) { fill_targets(o.reads[1], o.reads[2], z.V); });
  list.add(
      Op::cross_entropy_grad, {}, {logits, targets, weights, loss, loss}, {logits}, [z, loss](Operands& o) {
        fill_targets(o.reads[1], o.reads[2], z.V);
        const auto forward =
            reference_results(Op::cross_entropy, {}, {&o.reads[0], &o.reads[1], &o.reads[2]}, {loss, loss});
        copy_elements(forward[1], o.reads[3]);
      });
}

void add_attention(CaseList& list, int64_t window) {
  const Sizes z = list.sizes();
  const Attributes attributes{
      {"sequence", z.S}, {"window", window}, {"scale", 1 / std::sqrt(static_cast<double>(z.N))}};
  const std::string note = window == 0 ? "" : fmt::format("window {}", window);
  const auto q = list.a({z.T, z.H, z.N}), k = list.a({z.T, z.G, z.N}), lse = list.x({z.T, z.H});
  const auto documents = list.i32({z.T});
  list.add(
      Op::attention, attributes, {q, k, k, documents}, {q, lse},
      [](Operands& o) { fill_documents(o.reads[3]); }, 0, note);
  const auto complete = [attributes, q, lse](Operands& o) {
    fill_documents(o.reads[3]);
    const auto forward = reference_results(Op::attention, attributes,
                                           {&o.reads[0], &o.reads[1], &o.reads[2], &o.reads[3]}, {q, lse});
    copy_elements(forward[0], o.reads[4]);
    copy_elements(forward[1], o.reads[5]);
  };
  list.add(Op::attention_grad, attributes, {q, k, k, documents, q, lse, q}, {q, k, k}, complete, 0, note);
}

void add_rms_norm(CaseList& list, const graph::OperandType& x, const graph::OperandType& rstd,
                  int64_t width) {
  const Attributes attributes{{"eps", 1e-5}};
  const auto w = list.x({width});
  list.add(Op::rms_norm, attributes, {x, w}, {x, rstd});
  list.add(
      Op::rms_norm_grad, attributes, {x, w, rstd, x}, {x, w},
      [attributes, x, rstd](Operands& o) {
        const auto forward =
            reference_results(Op::rms_norm, attributes, {&o.reads[0], &o.reads[1]}, {x, rstd});
        copy_elements(forward[1], o.reads[2]);
      },
      0b10);
}

void add_matmul(CaseList& list, bool transpose_a, bool transpose_b) {
  const Sizes z = list.sizes();
  const Attributes attributes{{"transpose_a", int64_t{transpose_a}}, {"transpose_b", int64_t{transpose_b}}};
  const auto a = transpose_a ? list.a({z.D, z.T}) : list.a({z.T, z.D});
  const auto b = transpose_b ? list.a({z.V, z.D}) : list.a({z.D, z.V});
  const std::string note = std::string(transpose_a ? "t" : "n") + (transpose_b ? "t" : "n");
  list.add(Op::matmul, attributes, {a, b}, {list.x({z.T, z.V})}, {}, 1, note);
  if (a.dtype == base::DType::bf16)
    list.add(Op::matmul, attributes, {a, b}, {list.a({z.T, z.V})}, {}, 0, note);
}

void add_rope_tables(CaseList& list) {
  const Sizes z = list.sizes();
  for (const char* type : {"default", "linear", "llama3", "yarn"})
    list.add(Op::rope_table,
             {{"sequence", z.S},
              {"width", z.N},
              {"theta", 10000.0},
              {"type", std::string(type)},
              {"factor", 4.0},
              {"low_freq_factor", 1.0},
              {"high_freq_factor", 4.0},
              {"original_max_position_embeddings", int64_t{16}},
              {"beta_fast", 32.0},
              {"beta_slow", 1.0},
              {"truncate", int64_t{1}},
              {"attention_factor", 1.0}},
             {}, {list.x({z.S, z.N})}, {}, 0, type);
}

}  // namespace

void add_row_cases(CaseList& list) {
  const Sizes z = list.sizes();
  const auto a = list.a({z.T, z.D}), x = list.x({z.T, z.D}), heads = list.a({z.T, z.H, z.N});
  list.add(Op::zero, {}, {}, {a});
  list.add(Op::zero, {}, {}, {list.i32({z.T})}, {}, 0, "i32");
  list.add(Op::cast, {}, {a}, {x});
  list.add(Op::cast, {}, {x}, {a}, {}, 0, "back");
  list.add(Op::add, {}, {a, a}, {a});
  list.add(Op::add, {}, {x, x}, {x}, {}, 0, "exact");
  list.add(Op::scale, {{"factor", 0.75}}, {a}, {a});
  list.add(Op::add_bias, {}, {a, list.x({z.D})}, {a});
  list.add(Op::add_bias, {}, {a, list.a({z.D})}, {a}, {}, 0, "bias as x");
  list.add(Op::column_sum, {}, {a}, {list.x({z.D})}, {}, 1);
  list.add(Op::token_sum, {}, {list.x({z.T})}, {list.f64({1})}, {}, 1);
  list.add(Op::slice, {{"dim", int64_t{0}}, {"index", int64_t{1}}, {"parts", z.T / z.S}}, {a},
           {list.a({z.S, z.D})});
  list.add(Op::slice, {{"dim", int64_t{1}}, {"index", int64_t{1}}, {"parts", int64_t{2}}}, {heads},
           {list.a({z.T, z.H / 2, z.N})}, {}, 0, "heads");
  list.add(Op::slice, {{"dim", int64_t{2}}, {"index", int64_t{0}}, {"parts", int64_t{2}}}, {heads},
           {list.a({z.T, z.H, z.N / 2})}, {}, 0, "halves");
}

void add_dense_cases(CaseList& list) {
  const Sizes z = list.sizes();
  const auto a = list.a({z.T, z.D}), ids = list.i32({z.T}), heads = list.a({z.T, z.H, z.N});
  const auto both = list.a({z.T, 2 * z.F}), y = list.a({z.T, z.F});
  list.add(Op::embedding, {}, {list.a({z.V, z.D}), ids}, {a},
           [z](Operands& o) { fill_ids(o.reads[1], z.V); });
  list.add(
      Op::embedding_grad, {}, {ids, a}, {list.x({z.V, z.D})}, [z](Operands& o) { fill_ids(o.reads[0], z.V); },
      1);
  add_rms_norm(list, a, list.x({z.T}), z.D);
  add_rms_norm(list, heads, list.x({z.T, z.H}), z.N);
  for (int flags = 0; flags < 4; ++flags) add_matmul(list, (flags & 1) != 0, (flags & 2) != 0);
  add_rope_tables(list);
  for (int64_t inverse : {0, 1})
    list.add(
        Op::rope, {{"inverse", inverse}}, {heads, ids, list.x({z.S, z.N})}, {heads},
        [z](Operands& o) { fill_ids(o.reads[1], z.S); }, 0, inverse == 0 ? "" : "inverse");
  add_attention(list, 0);
  add_attention(list, 2);
  add_attention(list, z.S);
  list.add(Op::swiglu, {}, {both}, {y});
  list.add(Op::swiglu_grad, {}, {both, y}, {both});
  add_cross_entropy(list);
}

}  // namespace pleat::kernels::testing
