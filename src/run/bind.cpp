// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/errors.h"
#include "run/bound.h"

namespace pleat::run {
namespace {

using graph::Op;
using program::Instance;
using program::Instruction;
using program::Program;
using program::RankList;
using program::Region;
using program::Segment;

std::byte* address(const Region& region, const Instance& instance, const tensor::Arena& arena,
                   const std::array<int64_t, program::kAreas>& areas) {
  const int area = static_cast<int>(region.area);
  const int64_t base = program::is_framed(region.area) ? instance.bases[area] : 0;
  return arena.bytes(areas[area] + base + region.offset, region.type.bytes()).data();
}

std::unique_ptr<kernels::Kernel> bind_kernel(const Program& program, base::Rank rank, const Instruction& instruction,
                                             int team_size) {
  if (instruction.queue != program::Queue::compute) return nullptr;
  graph::Signature signature = program::signature_of(instruction);
  if (instruction.party) {  // a computation that depends on where the rank stands in a group
    signature.attributes.set("index", program.layout.position_in_group(rank, instruction.party->axes));
    signature.attributes.set("parts", program.layout.size(instruction.party->axes));
  }
  const int64_t workspace = instruction.workspace ? instruction.workspace->type.bytes() : 0;
  return kernels::bind(instruction.kernel, signature, workspace, team_size);
}

void bind_kernels(const Program& program, base::Rank rank, const RankList& list, int team_size, BoundList& bound) {
  bound.kernels.resize(program.segments.size());
  for (const Instance& instance : list.instances) {
    auto& kernels = bound.kernels[instance.segment];
    if (!kernels.empty()) continue;
    for (const Instruction& instruction : program.segments[instance.segment].instructions)
      kernels.push_back(bind_kernel(program, rank, instruction, team_size));
  }
}

/// The instance's own waits go to its first instruction on their queue.
void add_waits(const Instance& instance, const Segment& segment, std::vector<Item>& items, size_t first_item) {
  for (const program::Wait& wait : instance.waits) {
    for (size_t i = 0; i < segment.instructions.size(); ++i) {
      if (segment.instructions[i].queue != wait.queue) continue;
      items[first_item + i].waits.push_back(wait);
      break;
    }
  }
}

}  // namespace

comm::Channel channel_of(const Program& program, base::Rank rank, const Instruction& instruction) {
  const program::Party& party = *instruction.party;
  comm::Channel channel{{}, party.purpose};
  if (instruction.op == Op::send || instruction.op == Op::receive) {
    const base::Stage peer_stage(program.layout.stage_of(rank).value + party.stage_offset);
    const base::Rank peer = program.layout.at_stage(rank, peer_stage);
    channel.members = instruction.op == Op::send ? std::vector{rank, peer} : std::vector{peer, rank};
    return channel;
  }
  for (base::Rank member : program.layout.group(rank, party.axes)) {
    const int32_t stage = program.layout.stage_of(member).value;
    if (party.stages.empty() || std::find(party.stages.begin(), party.stages.end(), stage) != party.stages.end())
      channel.members.push_back(member);
  }
  return channel;
}

BoundList bind_list(const Program& program, base::Rank rank, const tensor::Arena& arena,
                    comm::Communicator& communicator, int team_size) {
  const RankList& list = program.list_of(rank);
  const auto areas = program::area_offsets(list);
  BoundList bound;
  bound.events = list.events;
  bind_kernels(program, rank, list, team_size, bound);
  size_t pointers = 0, items = 0;
  for (const Instance& instance : list.instances)
    for (const Instruction& instruction : program.segments[instance.segment].instructions)
      pointers += instruction.reads.size() + instruction.results.size(), ++items;
  bound.pointers.reserve(pointers);  // items point into it
  bound.items.reserve(items);
  for (size_t n = 0; n < list.instances.size(); ++n) {
    const Instance& instance = list.instances[n];
    const Segment& segment = program.segments[instance.segment];
    const size_t first_item = bound.items.size();
    for (size_t i = 0; i < segment.instructions.size(); ++i) {
      const Instruction& instruction = segment.instructions[i];
      Item item{&instruction, static_cast<int>(n), static_cast<int>(i), instance.micro_batch, instance.first,
                bound.kernels[instance.segment][i].get(), -1, nullptr, nullptr, nullptr, {}, -1};
      item.reads = bound.pointers.data() + bound.pointers.size();
      for (const Region& read : instruction.reads) bound.pointers.push_back(address(read, instance, arena, areas));
      item.writes = bound.pointers.data() + bound.pointers.size();
      for (const program::Result& result : instruction.results)
        bound.pointers.push_back(address(result.region, instance, arena, areas));
      if (instruction.workspace) item.workspace = address(*instruction.workspace, instance, arena, areas);
      if (graph::is_communication(instruction.op)) item.channel = communicator.open(channel_of(program, rank, instruction));
      for (int event : instruction.waits) item.waits.push_back({instruction.queue, instance.first_event + event, 0});
      if (instruction.fires) item.fires = instance.first_event + *instruction.fires;
      bound.queues[static_cast<int>(instruction.queue)].push_back(static_cast<int>(bound.items.size()));
      bound.items.push_back(std::move(item));
    }
    add_waits(instance, segment, bound.items, first_item);
  }
  return bound;
}

}  // namespace pleat::run
