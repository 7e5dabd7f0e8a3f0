// SPDX-License-Identifier: Apache-2.0
// One row per operation: what is legal (the operands and attributes of docs/operations.md) and the kernel's
// factory.
#include "kernels/ref/ref.h"

#include <array>

#include "kernels/ref/contract.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

namespace {

using base::CheckError;
using base::fail;
using base::Shape;
using graph::Op;

void check_product(const Signature& s) {
  const Shape &a = s.reads[0].shape, &b = s.reads[1].shape, &y = s.writes[0].shape;
  const int64_t ta = s.attributes.integer("transpose_a"), tb = s.attributes.integer("transpose_b");
  if (a[ta == 0 ? 1 : 0] != b[tb == 0 ? 0 : 1] || y[0] != a[ta == 0 ? 0 : 1] || y[1] != b[tb == 0 ? 1 : 0])
    fail<CheckError>("matmul: {}{} times {}{} does not give {}", to_string(a), ta == 0 ? "" : " transposed",
                     to_string(b), tb == 0 ? "" : " transposed", to_string(y));
}

void check_grouped_product(const Signature& s) {
  const Shape &x = s.reads[0].shape, &w = s.reads[1].shape, &y = s.writes[0].shape;
  const bool transposed = s.attributes.integer("transpose_b") != 0;
  if (w[transposed ? 2 : 1] != x[1] || w[transposed ? 1 : 2] != y[1])
    fail<CheckError>("grouped_matmul: {} times experts of {} (transpose_b {}) does not give {}", to_string(x),
                     to_string(w), transposed ? 1 : 0, to_string(y));
}

void check_part(const Signature& s) {
  const int64_t index = s.attributes.integer("index"), parts = s.attributes.integer("parts");
  if (index >= parts) fail<CheckError>("{}: part {} of {}", name_of(s.op), index, parts);
  if (s.op != Op::slice) return;
  const int64_t dim = s.attributes.integer("dim");
  Shape part = s.reads[0].shape;
  if (dim >= part.dims()) fail<CheckError>("slice: no dim {} in {}", dim, to_string(part));
  const bool divides = part[static_cast<int>(dim)] % parts == 0;
  part[static_cast<int>(dim)] /= parts;
  if (!divides || part != s.writes[0].shape)
    fail<CheckError>("slice: {} in {} parts along dim {} does not give {}", to_string(s.reads[0].shape),
                     parts, dim, to_string(s.writes[0].shape));
}

void check_expert_tile(const Signature& s) {
  if (s.reads.size() > (s.op == Op::swiglu ? 1u : 2u) && !s.attributes.has("tile"))
    fail<CheckError>("{}: attribute 'tile' is missing, which counts need", name_of(s.op));
}

void check_rope_table(const Signature& s) {
  const std::string& type = s.attributes.word("type");
  if (type != "default" && type != "linear" && type != "llama3" && type != "yarn")
    fail<CheckError>("rope_table: unknown type '{}': choose default, linear, llama3 or yarn", type);
  if (s.writes[0].shape[1] % 2 != 0) fail<CheckError>("rope_table: an odd width, {}", s.writes[0].shape[1]);
}

struct Row {
  Op op = Op::count_;
  Factory* bind = nullptr;
  Contract contract{};
  void (*check_rest)(const Signature&) = nullptr;  // what one line of text does not say
};

constexpr std::string_view kAttention = "sequence=S window:count scale:number T%S H%G";
constexpr std::string_view kRouter = "top_k=K renormalise:flag K<=E";

// clang-format off
constexpr std::array kTable{
    Row{Op::share}, Row{Op::reshape}, Row{Op::split}, Row{Op::concat},

    Row{Op::cast, cast, {"x:F[..] -> y:F[..]", ""}},
    Row{Op::add, add, {"a:F[..] b:F[..] -> y:F[..]", ""}},
    Row{Op::scale, scale, {"x:F[..] -> y:F[..]", "factor:number"}},
    Row{Op::add_bias, add_bias, {"x:A[T,N] b:B[N] -> y:A[T,N]", ""}},
    Row{Op::column_sum, column_sum, {"x:A[T,N] -> +s:X[N]", ""}},
    Row{Op::token_sum, token_sum, {"x:X[T] -> +s:d[1]", ""}},

    Row{Op::embedding, embedding, {"table:A[V,D] ids:i[T] -> y:A[T,D]", ""}},
    Row{Op::embedding_grad, embedding_grad, {"ids:i[T] dy:A[T,D] -> +dtable:X[V,D]", ""}},
    Row{Op::rms_norm, rms_norm, {"x:A[T,..,N] w:X[N] -> y:A[T,..,N] rstd:X[T,..]", "eps:number"}},
    Row{Op::rms_norm_grad, rms_norm_grad, {"x:A[T,..,N] w:X[N] rstd:X[T,..] dy:A[T,..,N] -> dx:A[T,..,N] +dw:X[N]", ""}},
    Row{Op::matmul, matmul, {"a:F[P,Q] b:F[U,W] -> +y:F[M,N]", "transpose_a:flag transpose_b:flag"}, check_product},
    Row{Op::rope_table, rope_table, {"-> table:X[S,N]", "sequence=S width=N theta:number"}, check_rope_table},
    Row{Op::rope, rope, {"x:A[T,H,N] positions:i[T] table:X[S,N] -> y:A[T,H,N]", "inverse:flag"}},
    Row{Op::attention, attention,
        {"q:A[T,H,N] k:A[T,G,N] v:A[T,G,N] documents:i[T] -> o:A[T,H,N] lse:X[T,H]", kAttention}},
    Row{Op::attention_grad, attention_grad,
        {"q:A[T,H,N] k:A[T,G,N] v:A[T,G,N] documents:i[T] o:A[T,H,N] lse:X[T,H] do:A[T,H,N] -> dq:A[T,H,N] dk:A[T,G,N] dv:A[T,G,N]", kAttention}},
    Row{Op::swiglu, swiglu, {"x:A[R,2F] counts:i[P,E]? -> y:A[R,F]", "tile:positive?"}, check_expert_tile},
    Row{Op::swiglu_grad, swiglu_grad, {"x:A[R,2F] dy:A[R,F] counts:i[P,E]? -> dx:A[R,2F]", "tile:positive?"}, check_expert_tile},
    Row{Op::cross_entropy, cross_entropy, {"logits:A[T,V] targets:i[T] weights:s[T] -> loss:X[T] lse:X[T]", ""}},
    Row{Op::cross_entropy_grad, cross_entropy_grad,
        {"logits:A[T,V] targets:i[T] weights:s[T] lse:X[T] dloss:X[T] -> dlogits:A[T,V]", ""}},

    Row{Op::router, router, {"logits:X[T,E] -> probs:X[T,E] weights:X[T,K] indices:i[T,K] lse:X[T]", kRouter}},
    Row{Op::router_grad, router_grad,
        {"probs:X[T,E] weights:X[T,K] indices:i[T,K] dweights:X[T,K] dprobs:X[T,E] dlse:X[T] -> dlogits:X[T,E]", kRouter}},
    Row{Op::router_sums, router_sums,
        {"probs:X[T,E] indices:i[T,K] lse:X[T] -> counts:X[G,E] sums:X[G,E] squares:X[G]", "T%G"}},
    Row{Op::router_sums_grad, router_sums_grad, {"lse:X[T] dsums:X[G,E] dsquares:X[G] -> dprobs:X[T,E] dlse:X[T]", "T%G"}},
    Row{Op::balance_loss, balance_loss, {"counts:X[G,E] sums:X[G,E] -> loss:X[G]", "rows:positive"}},
    Row{Op::balance_loss_grad, balance_loss_grad, {"counts:X[G,E] dloss:X[G] -> dsums:X[G,E]", "rows:positive"}},

    Row{Op::route, route, {"indices:i[T,K] -> rows:i[T,K] counts:i[1,E]", "experts=E tile:positive"}},
    Row{Op::permute, permute, {"x:A[T,D] rows:i[T,K] -> y:A[R,D]", ""}},
    Row{Op::unpermute, unpermute, {"y:A[R,D] rows:i[T,K] -> x:A[T,D]", ""}},
    Row{Op::combine, combine, {"y:A[R,D] rows:i[T,K] weights:X[T,K] -> out:A[T,D]", ""}},
    Row{Op::combine_grad, combine_grad,
        {"y:A[R,D] rows:i[T,K] weights:X[T,K] dout:A[T,D] -> dy:A[R,D] dweights:X[T,K]", ""}},
    Row{Op::grouped_matmul, grouped_matmul,
        {"x:A[R,K] w:A[E,U,W] counts:i[P,E] -> y:A[R,N]", "transpose_b:flag tile:positive"}, check_grouped_product},
    Row{Op::grouped_outer, grouped_outer, {"dy:A[R,N] x:A[R,K] counts:i[P,E] -> +dw:X[E,N,K]", "tile:positive"}},
    Row{Op::expert_counts, expert_counts, {"all:i[P,pL] -> mine:i[P,L]", "parts=p index:count"}, check_part},

    Row{Op::all_reduce}, Row{Op::all_gather}, Row{Op::reduce_scatter}, Row{Op::all_to_all},
    Row{Op::slice, slice, {"x:A[*] -> y:A[*]", "dim:count index:count parts:positive"}, check_part},
    Row{Op::exchange}, Row{Op::send}, Row{Op::receive},

    Row{Op::zero, zero, {"-> y:*[*]", ""}},
    Row{Op::load},
    Row{Op::sum_squares, sum_squares, {"g:X[tn] -> s:d[t]", "tensors=t"}},
    Row{Op::clip, clip, {"squares:d[n] scalars:d[8] -> norm:d[1] factor:d[1] guard:i[1]", "max_norm:number"}},
    Row{Op::adamw, adamw, {"g:X[n] factor:d[1] guard:i[1] scalars:d[8] -> master:X[n] m:X[n] v:X[n]",
        "beta1:number beta2:number eps:number weight_decay:number"}},
    Row{Op::emit},
};
// clang-format on

constexpr bool is_computed(Op op) {
  return !graph::is_view(op) && !graph::is_communication(op) && op != Op::load && op != Op::emit;
}

constexpr bool every_operation_has_its_row() {
  if (kTable.size() != static_cast<size_t>(Op::count_)) return false;
  for (size_t i = 0; i < kTable.size(); ++i)
    if (kTable[i].op != static_cast<Op>(i) ||
        kTable[i].contract.operands.empty() == is_computed(kTable[i].op))
      return false;
  return true;
}
static_assert(every_operation_has_its_row(), "an operation of graph/op.h has no row, or one out of order");

const Row& row_of(Op op) {
  const Row& row = kTable[static_cast<size_t>(op)];
  if (row.bind == nullptr)
    fail<CheckError>("{}: no kernel computes it; it is {}", name_of(op),
                     graph::is_view(op) ? "a view" : "run itself that does it");
  return row;
}

}  // namespace

bool computes(Op op) {
  return is_computed(op);
}

void check(const Signature& signature) {
  const Row& row = row_of(signature.op);
  check(signature, row.contract);
  if (row.check_rest != nullptr) row.check_rest(signature);
}

std::unique_ptr<Kernel> bind(const Signature& signature) {
  check(signature);
  return row_of(signature.op).bind(signature);
}

}  // namespace pleat::kernels::ref
