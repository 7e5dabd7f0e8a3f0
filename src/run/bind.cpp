// SPDX-License-Identifier: Apache-2.0
// Everything slow, once: addresses, kernels with their primitives, channels, names of ports, events.
#include <algorithm>

#include "base/errors.h"
#include "run/bound.h"
#include "run/place.h"

namespace pleat::run {
namespace {

using graph::Op;
using program::Instance;
using program::Instruction;
using program::Program;
using program::RankList;
using program::Region;
using program::Segment;

std::unique_ptr<kernels::Kernel> bind_kernel(const Program& program, base::Rank rank,
                                             const Instruction& instruction, int team_size) {
  if (instruction.queue != program::Queue::compute) return nullptr;
  graph::Signature signature = program::signature_of(instruction);
  if (instruction.party) {  // a computation that depends on where the rank stands in a group
    signature.attributes.set("index", program.layout.position_in_group(rank, instruction.party->axes));
    signature.attributes.set("parts", program.layout.size(instruction.party->axes));
  }
  const int64_t workspace = instruction.workspace ? instruction.workspace->type.bytes() : 0;
  return kernels::bind(instruction.kernel, signature, workspace, team_size);
}

void bind_kernels(const Program& program, base::Rank rank, const RankList& list, int team_size,
                  BoundList& bound) {
  bound.kernels.resize(program.segments.size());
  for (const Instance& instance : list.instances) {
    auto& kernels = bound.kernels[instance.segment];
    if (!kernels.empty()) continue;
    for (const Instruction& instruction : program.segments[instance.segment].instructions) {
      try {
        kernels.push_back(bind_kernel(program, rank, instruction, team_size));
      } catch (const std::exception& error) {
        rethrow_at(place_of(program, rank, instance, static_cast<int>(kernels.size())), error);
      }
    }
  }
}

void reserve(const Program& program, const RankList& list, BoundList& bound) {
  size_t pointers = 0, items = 0;
  for (const Instance& instance : list.instances)
    for (const Instruction& instruction : program.segments[instance.segment].instructions)
      pointers += instruction.reads.size() + instruction.results.size(), ++items;
  bound.pointers.reserve(pointers);  // items point into it
  bound.items.reserve(items);
}

/// The instance's own waits go to its first instruction on their queue.
void add_waits(const Instance& instance, const Segment& segment, std::span<Item> items) {
  for (const program::Wait& wait : instance.waits) {
    const auto first = std::find_if(items.begin(), items.end(),
                                    [&](const Item& item) { return item.instruction->queue == wait.queue; });
    if (first == items.end())
      base::fail<base::CheckError>("{}, micro-batch {}: waits on queue {}, where it has no instruction",
                                   segment.name, instance.micro_batch, program::name_of(wait.queue));
    first->waits.push_back(wait);
  }
}

/// One rank's binding, instance by instance.
class Binder {
 public:
  Binder(const Program& program, base::Rank rank, const tensor::Arena& arena,
         comm::Communicator& communicator, BoundList& bound)
      : program_(program),
        rank_(rank),
        arena_(arena),
        communicator_(communicator),
        bound_(bound),
        areas_(program::area_offsets(program.list_of(rank))) {}

  void bind(const Instance& instance, int number) {
    const Segment& segment = program_.segments[instance.segment];
    const size_t first_item = bound_.items.size();
    for (size_t i = 0; i < segment.instructions.size(); ++i) {
      Item item = bind(static_cast<int>(i), instance);
      item.instance = number;
      item.kernel = bound_.kernels[instance.segment][i].get();
      bound_.queues[static_cast<int>(item.instruction->queue)].push_back(
          static_cast<int>(bound_.items.size()));
      bound_.items.push_back(std::move(item));
    }
    add_waits(instance, segment, std::span(bound_.items).subspan(first_item));
  }

 private:
  Item bind(int index, const Instance& instance) {
    try {
      return bind(program_.segments[instance.segment].instructions[index], index, instance);
    } catch (const std::exception& error) {
      rethrow_at(place_of(program_, rank_, instance, index), error);
    }
  }

  Item bind(const Instruction& instruction, int index, const Instance& instance) {
    Item item;
    item.instruction = &instruction;
    item.index = index;
    item.micro_batch = instance.micro_batch;
    item.first = instance.first;
    const size_t begin = bound_.pointers.size(), reads = instruction.reads.size();
    for (const Region& read : instruction.reads) bound_.pointers.push_back(address(read, instance));
    for (const auto& result : instruction.results)
      bound_.pointers.push_back(address(result.region, instance));
    const std::span all = std::span(bound_.pointers).subspan(begin);
    item.reads = all.first(reads);
    item.writes = all.subspan(reads);
    if (instruction.workspace) item.workspace = address(*instruction.workspace, instance);
    if (graph::is_communication(instruction.op))
      item.channel = communicator_.open(channel_of(program_, rank_, instruction));
    if (instruction.op == Op::exchange) item.exchange = exchange_plan(program_, rank_, instruction);
    if (instruction.op == Op::load || instruction.op == Op::emit)
      item.port = instruction.attributes.word("port");
    for (int event : instruction.waits)
      item.waits.push_back({instruction.queue, instance.first_event + event, 0});
    if (instruction.fires) item.fires = instance.first_event + *instruction.fires;
    return item;
  }

  std::byte* address(const Region& region, const Instance& instance) const {
    const int area = static_cast<int>(region.area);
    const int64_t base = program::is_framed(region.area) ? instance.bases[area] : 0;
    return arena_.bytes(areas_[area] + base + region.offset, region.type.bytes()).data();
  }

  const Program& program_;
  base::Rank rank_;
  const tensor::Arena& arena_;
  comm::Communicator& communicator_;
  BoundList& bound_;
  std::array<int64_t, program::kAreas> areas_;
};

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
    if (party.stages.empty() ||
        std::find(party.stages.begin(), party.stages.end(), stage) != party.stages.end())
      channel.members.push_back(member);
  }
  return channel;
}

BoundList bind_list(const Program& program, base::Rank rank, const tensor::Arena& arena,
                    comm::Communicator& communicator, int team_size) {
  const RankList& list = program.list_of(rank);
  BoundList bound;
  bound.events = list.events;
  bind_kernels(program, rank, list, team_size, bound);
  reserve(program, list, bound);
  Binder binder(program, rank, arena, communicator, bound);
  for (size_t n = 0; n < list.instances.size(); ++n) binder.bind(list.instances[n], static_cast<int>(n));
  return bound;
}

}  // namespace pleat::run
