// SPDX-License-Identifier: Apache-2.0
// Small Programs to run: compiled ones, and ones put together by hand where compile would never write them.
#pragma once
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "compile/compile.h"
#include "kernels/catalogue.h"

namespace pleat::run {

inline config::ModelConfig small_model(bool experts, int64_t layers = 2) {
  config::ModelConfig m = config::class_defaults(experts ? config::Family::qwen3_moe : config::Family::qwen3);
  m.vocab_size = 32, m.hidden_size = 16, m.intermediate_size = 24, m.num_hidden_layers = layers;
  m.num_attention_heads = 4, m.num_key_value_heads = 2, m.head_dim = 8;
  if (!experts) return m;
  m.num_experts = 4, m.num_experts_per_tok = 2, m.moe_intermediate_size = 12, m.norm_topk_prob = true;
  m.output_router_logits = true, m.router_aux_loss_coef = 0.01, m.router_z_loss_coef = 0.001;
  return m;
}

/// Eight tokens a micro-batch, four micro-batches a rank.
inline compile::Request small_request(bool experts, layout::Degrees degrees,
                                      compile::Purpose purpose = compile::Purpose::train) {
  compile::Request r;
  r.purpose = purpose;
  r.model = small_model(experts);
  r.layout = layout::Layout(degrees);
  r.micro_batch = 2, r.sequence = 4, r.micro_batches = 4;
  r.catalogue = kernels::reference_catalogue();
  return r;
}

/// Four ranks: every kind of instruction, every queue.
inline compile::Request pipeline_request() {
  return small_request(true, {.dp = 2, .pp = 2, .ep = 2});
}

// ---- by hand ----

inline program::Region floats(program::Area area, int64_t offset, int64_t count, int32_t buffer = -1) {
  return {area, offset, graph::OperandType::dense(base::DType::f32, {count}), buffer};
}

inline program::Instruction instruction(graph::Op op, program::Queue queue,
                                        std::vector<program::Region> reads,
                                        std::vector<program::Region> writes,
                                        graph::Attributes attributes = {}) {
  program::Instruction i;
  i.op = op, i.queue = queue, i.reads = std::move(reads), i.attributes = std::move(attributes);
  for (const program::Region& region : writes) i.results.push_back({region, program::Mode::write});
  if (queue == program::Queue::compute) i.kernel = "ref";
  return i;
}

inline program::Instruction scaled(program::Region from, program::Region to, double factor = 2.0) {
  return instruction(graph::Op::scale, program::Queue::compute, {from}, {to}, {{"factor", factor}});
}
inline program::Instruction load(const char* port, program::Region to) {
  return instruction(graph::Op::load, program::Queue::host, {}, {to}, {{"port", std::string(port)}});
}
inline program::Instruction emit(const char* port, program::Region from) {
  return instruction(graph::Op::emit, program::Queue::host, {from}, {}, {{"port", std::string(port)}});
}

/// To or from the stage `offset` further.
inline program::Instruction transfer(graph::Op op, program::Region region, int32_t offset,
                                     const char* purpose = "forward") {
  const bool sends = op == graph::Op::send;
  std::vector<program::Region> reads, writes;
  (sends ? reads : writes).push_back(region);
  program::Instruction i =
      instruction(op, sends ? program::Queue::forward_out : program::Queue::forward_in, reads, writes);
  i.party = program::Party{{layout::Axis::pp}, {}, offset, purpose};
  return i;
}

/// One segment and one instance of it per stage; events of the segments are counted.
inline program::Program by_hand(std::vector<std::vector<program::Instruction>> stages) {
  program::Program p;
  p.name = "by hand";
  p.layout = layout::Layout({.pp = static_cast<int64_t>(stages.size())});
  for (size_t stage = 0; stage < stages.size(); ++stage) {
    program::Segment segment;
    segment.name = "segment " + std::to_string(stage);
    segment.instructions = std::move(stages[stage]);
    program::RankList list;
    list.stage = static_cast<int32_t>(stage);
    for (const program::Instruction& i : segment.instructions) {
      if (i.fires) segment.events = std::max(segment.events, *i.fires + 1);
      for (const program::Effect& effect : program::effects(i)) {
        int64_t& bytes = list.area_bytes[static_cast<size_t>(effect.region.area)];
        bytes = std::max(bytes, effect.region.end());
      }
    }
    list.events = segment.events;
    program::Instance instance;
    instance.segment = static_cast<int32_t>(stage);
    list.instances.push_back(instance);
    p.segments.push_back(std::move(segment));
    p.lists.push_back(std::move(list));
  }
  return p;
}

}  // namespace pleat::run
