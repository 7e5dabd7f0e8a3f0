// SPDX-License-Identifier: Apache-2.0
#include "model/chunk.h"

#include "base/errors.h"
#include "graph/place.h"
#include "model/blocks.h"

namespace pleat::model {
namespace {

using graph::Attributes;
using graph::Op;
using graph::ValueId;
using graph::ValueType;
using layout::Axis;
using layout::MeshKind;
using layout::Placement;
using layout::Placements;

Placements by_token() {
  return Placements(MeshKind::dense).with(Axis::dp, Placement::sharded(0));
}

int64_t groups_of(const ChunkRequest& r) {
  return r.scope == AuxiliaryScope::micro_batch ? r.layout.size(Axis::dp) : 1;
}

/// Pooled over all ranks the running sums are partial until the last chunk reduces them.
Placements by_group(const ChunkRequest& r) {
  return r.scope == AuxiliaryScope::micro_batch
             ? by_token()
             : Placements(MeshKind::dense).with(Axis::dp, Placement::partial());
}

ValueType boundary_type(const ChunkRequest& r, const std::string& name) {
  if (name == "hidden") return {r.activation, {r.tokens(), r.config.hidden_size}, by_token()};
  if (name == "squares") return {r.exact, {groups_of(r)}, by_group(r)};
  return {r.exact, {groups_of(r), r.config.num_experts}, by_group(r)};
}

ValueId rope_table(graph::Builder& b, const ChunkRequest& r) {
  const config::Rope& rope = r.config.rope;
  return b.apply_one(Op::rope_table,
                     Attributes{{"sequence", r.sequence},
                                {"width", r.config.head_dim},
                                {"theta", rope.theta},
                                {"type", std::string(config::name_of(rope.type))},
                                {"factor", rope.factor},
                                {"low_freq_factor", rope.low_freq_factor},
                                {"high_freq_factor", rope.high_freq_factor},
                                {"original_max_position_embeddings", rope.original_max_position_embeddings},
                                {"beta_fast", rope.beta_fast},
                                {"beta_slow", rope.beta_slow},
                                {"truncate", int64_t{rope.truncate}},
                                {"attention_factor", rope.attention_factor}},
                     {});
}

ValueId decoder_layer(const Site& site, ValueId x, int64_t layer, RouterSums& sums) {
  graph::Builder& b = site.build;
  const ValueId attended =
      attention_block(site, norm(site, x, site.in_layer(layer, "input_layernorm.weight")), layer);
  x = graph::add(b, x, attended);
  const ValueId normed = norm(site, x, site.in_layer(layer, "post_attention_layernorm.weight"));
  const ValueId fed =
      site.config().is_moe(layer) ? moe_block(site, normed, layer, sums) : mlp_block(site, normed, layer);
  return graph::add(b, x, fed);
}

void auxiliary_losses(const Site& site, RouterSums sums) {
  graph::Builder& b = site.build;
  const ChunkRequest& r = site.request;
  const Placements whole(MeshKind::dense);
  if (r.scope == AuxiliaryScope::all_ranks)
    sums = {graph::place(b, sums.counts, whole), graph::place(b, sums.sums, whole),
            graph::place(b, sums.squares, whole)};
  const int64_t rows = r.tokens() / groups_of(r) * r.config.num_moe_layers();
  const ValueId balance = b.apply_one(Op::balance_loss, {{"rows", rows}}, {sums.counts, sums.sums});
  const ValueId z = b.apply_one(Op::scale, {{"factor", 1.0 / static_cast<double>(rows)}}, {sums.squares});
  b.output("balance_loss", balance);
  b.output("z_loss", z);
  b.output("metric.balance_loss", b.apply_one(Op::token_sum, {}, {balance}));
  b.output("metric.z_loss", b.apply_one(Op::token_sum, {}, {z}));
}

void head_and_losses(const Site& site, ValueId x, const RouterSums& sums) {
  graph::Builder& b = site.build;
  const ChunkRequest& r = site.request;
  const ValueId logits = head_block(site, x);
  b.output("logits", logits);
  if (!r.loss) return;
  const ValueId targets = b.input("targets", {base::DType::i32, {r.tokens()}, by_token()});
  const ValueId weights = b.input("loss_weights", {base::DType::f32, {r.tokens()}, by_token()});
  const ValueId loss = b.apply(Op::cross_entropy, {}, {logits, targets, weights})[0];
  b.output("loss", loss);
  b.output("metric.loss", b.apply_one(Op::token_sum, {}, {loss}));
  b.output("metric.tokens", b.apply_one(Op::token_sum, {}, {weights}));
  if (sums.counts.valid()) auxiliary_losses(site, sums);
}

/// " (job.yaml:14)"
std::string at(const ChunkRequest& r, std::string_view axis) {
  return r.where ? fmt::format(" ({})", r.where(fmt::format("layout.{}", axis))) : "";
}

void check_axes(const ChunkRequest& r) {
  for (Axis axis : {Axis::tp, Axis::cp, Axis::etp})
    if (r.layout.size(axis) > 1)
      base::fail<base::JobError>("no operations yet for axis {} (size {}): choose 1{}", layout::name_of(axis),
                                 r.layout.size(axis), at(r, layout::name_of(axis)));
  if (r.layout.vpp() > 1)
    base::fail<base::JobError>("no operations yet for axis vpp (size {}): choose 1{}", r.layout.vpp(),
                               at(r, "vpp"));
  if (r.layout.chunks() > r.config.num_hidden_layers)
    base::fail<base::JobError>(
        "axis pp of size {} leaves stages without layers: the model has {}, choose at most that{}",
        r.layout.chunks(), r.config.num_hidden_layers, at(r, "pp"));
  if (r.config.num_experts > 0 && r.config.num_experts % r.layout.size(Axis::ep) != 0)
    base::fail<base::JobError>("axis ep of size {} does not divide {} experts", r.layout.size(Axis::ep),
                               r.config.num_experts);
  if (r.config.num_experts == 0 && r.layout.size(Axis::ep) > 1)
    base::fail<base::JobError>("axis ep of size {} in a model without experts: choose 1",
                               r.layout.size(Axis::ep));
}

}  // namespace

graph::Graph build_chunk(const ChunkRequest& r) {
  check_axes(r);
  graph::Builder b(r.layout, r.activation, r.exact);
  const auto token_input = [&](const std::string& name) {
    return b.input(name, {base::DType::i32, {r.tokens()}, by_token()});
  };
  const ValueId positions = token_input("positions"), documents = token_input("documents");
  const Site site{b, r, positions, documents, rope_table(b, r)};
  const layout::Layout::Span layers = r.layout.layers_of(r.chunk, r.config.num_hidden_layers);
  RouterSums sums;
  ValueId x;
  if (r.first()) {
    x = b.apply_one(Op::embedding, {}, {site.weight("model.embed_tokens.weight"), token_input("tokens")});
  } else {
    const auto received = [&](const std::string& name) {
      return b.input("in." + name, boundary_type(r, name));
    };
    x = received("hidden");
    bool before = false;
    for (int64_t layer = 0; layer < layers.first; ++layer) before = before || r.config.is_moe(layer);
    if (before) sums = {received("counts"), received("sums"), received("squares")};
  }
  for (int64_t layer = layers.first; layer < layers.last; ++layer) x = decoder_layer(site, x, layer, sums);
  if (r.last()) {
    head_and_losses(site, x, sums);
  } else {
    b.output("hidden", x);
    if (sums.counts.valid())
      b.output("counts", sums.counts), b.output("sums", sums.sums), b.output("squares", sums.squares);
  }
  return b.take();
}

}  // namespace pleat::model
