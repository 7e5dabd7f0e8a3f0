// SPDX-License-Identifier: Apache-2.0
#include "simulate/route.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/errors.h"

namespace pleat::simulate {
namespace {

using base::CheckError;
using base::fail;
using graph::Op;
using program::Instance;
using program::Instruction;
using program::Program;
using program::RankList;
using program::Segment;

/// As run opens them: sender and receiver, or the group in rank order.
std::vector<base::Rank> members_of(const Program& program, base::Rank rank, const Instruction& instruction) {
  const program::Party& party = *instruction.party;
  if (instruction.op == Op::send || instruction.op == Op::receive) {
    const int64_t stage = program.layout.stage_of(rank).value + int64_t{party.stage_offset};
    if (party.stage_offset == 0 || stage < 0 || stage >= program.layout.stages())
      fail<CheckError>("{} of rank {} to stage {}: of {} stages it is another one that it may name",
                       graph::name_of(instruction.op), rank.value, stage, program.layout.stages());
    const base::Rank peer = program.layout.at_stage(rank, base::Stage(stage));
    return instruction.op == Op::send ? std::vector{rank, peer} : std::vector{peer, rank};
  }
  std::vector<base::Rank> members;
  for (base::Rank member : program.layout.group(rank, party.axes)) {
    const int32_t stage = program.layout.stage_of(member).value;
    if (party.stages.empty() ||
        std::find(party.stages.begin(), party.stages.end(), stage) != party.stages.end())
      members.push_back(member);
  }
  return members;
}

void check_list(const Program& program, const RankList& list) {
  const auto check_event = [&](int64_t event, const Segment& segment) {
    if (event < 0 || event >= list.events)
      fail<CheckError>("stage {}, {}: event {} of a list of {} events", list.stage, segment.name, event,
                       list.events);
  };
  if (list.stage < 0 || list.stage >= program.layout.stages())
    fail<CheckError>("a list for stage {} of {}", list.stage, program.layout.stages());
  for (const Instance& instance : list.instances) {
    if (instance.segment < 0 || static_cast<size_t>(instance.segment) >= program.segments.size())
      fail<CheckError>("stage {}: an instance of segment {} of {}", list.stage, instance.segment,
                       program.segments.size());
    const Segment& segment = program.segments[instance.segment];
    for (const program::Wait& wait : instance.waits) check_event(wait.event, segment);
    for (const Instruction& instruction : segment.instructions) {
      if (instruction.fires) check_event(int64_t{instance.first_event} + *instruction.fires, segment);
      for (int32_t event : instruction.waits) check_event(int64_t{instance.first_event} + event, segment);
    }
  }
}

class Builder {
 public:
  Builder(const Program& program, const target::Target& target, const Options& options)
      : program_(program), target_(target), options_(options), first_label_(program.segments.size(), -1) {}

  Routes build() {
    for (const RankList& list : program_.lists) check_list(program_, list);
    for (size_t i = 0; i < program_.lists.size(); ++i)
      if (!route_of_stage_.try_emplace(program_.lists[i].stage, static_cast<int32_t>(i)).second)
        fail<CheckError>("two lists for stage {}", program_.lists[i].stage);
    for (const RankList& list : program_.lists) routes_.routes.push_back(route(list));
    return std::move(routes_);
  }

 private:
  Route route(const RankList& list) {
    Route route;
    route.list = &list;
    route.rank = program_.layout.at_stage(base::Rank(0), base::Stage(list.stage));
    route.ranks = program_.layout.ranks_per_stage();
    const bool in_order = options_.order == program::Order::in_order;
    route.lanes.resize(in_order ? 1 : program::kQueues);
    route.moves.resize(program_.segments.size());
    for (size_t i = 0; i < list.instances.size(); ++i) {
      auto& lanes = route.moves[list.instances[i].segment];
      if (lanes.empty()) lanes = moves_of(list.instances[i].segment, route);
      for (size_t lane = 0; lane < lanes.size(); ++lane)
        if (!lanes[lane].empty()) route.lanes[lane].instances.push_back(static_cast<int32_t>(i));
    }
    return route;
  }

  std::vector<std::vector<Move>> moves_of(int32_t number, const Route& route) {
    const Segment& segment = program_.segments[number];
    std::vector<std::vector<Move>> lanes(route.lanes.size());
    std::array<bool, program::kQueues> open{};
    if (first_label_[number] < 0) add_labels(number);
    for (size_t i = 0; i < segment.instructions.size(); ++i) {
      const Instruction& instruction = segment.instructions[i];
      const auto queue = static_cast<size_t>(instruction.queue);
      Move move;
      move.instruction = &instruction;
      move.index = static_cast<int32_t>(i);
      move.opens_queue = !std::exchange(open[queue], true);
      move.communicates = graph::is_communication(instruction.op);
      move.label = first_label_[number] + move.index;
      if (move.communicates)
        join(move, route);
      else
        move.work = work(instruction);
      lanes[lanes.size() == 1 ? 0 : queue].push_back(move);
    }
    return lanes;
  }

  void add_labels(int32_t number) {
    first_label_[number] = static_cast<int32_t>(routes_.labels.size());
    for (const Instruction& instruction : program_.segments[number].instructions)
      routes_.labels.push_back(label_of(program_.segments[number], instruction));
  }

  int64_t asked(const Instruction& instruction) const {
    const int64_t ns = options_.duration(instruction);
    if (ns < 0) fail<CheckError>("a duration of {} ns for {}", ns, program::to_text(instruction));
    return ns;
  }

  Work work(const Instruction& instruction) const {
    if (!options_.duration) return work_of(instruction, target_, program_.threads, options_.calibration);
    Work work;
    work.ns = asked(instruction);
    work.threads =
        instruction.queue == program::Queue::compute ? std::clamp(program_.threads, 1, target_.cores) : 1;
    return work;
  }

  /// The channel of a communication, its seat there, and what it costs.
  void join(Move& move, const Route& route) {
    const Instruction& instruction = *move.instruction;
    if (!instruction.party)
      fail<CheckError>("rank {}: a communication without a party: {}", route.rank.value,
                       program::to_text(instruction));
    const std::vector<base::Rank> members = members_of(program_, route.rank, instruction);
    if (std::find(members.begin(), members.end(), route.rank) == members.end())
      fail<CheckError>("rank {} is no member of the group of {}", route.rank.value,
                       program::to_text(instruction));
    move.channel = channel(members, instruction.party->purpose, instruction, route);
    const int32_t self = route_of_stage_.at(route.list->stage);
    const auto& seats = routes_.channels[move.channel].routes;
    move.seat = static_cast<int32_t>(std::find(seats.begin(), seats.end(), self) - seats.begin());
    move.transfer =
        transfer_of(instruction, static_cast<int64_t>(members.size()), target_, options_.calibration);
    if (!options_.duration) return;
    move.transfer.phases = 0;
    move.transfer.delay_ns = asked(instruction);
  }

  int32_t channel(const std::vector<base::Rank>& members, const std::string& purpose,
                  const Instruction& instruction, const Route& route) {
    const auto [known, fresh] =
        channel_of_.try_emplace({members, purpose}, static_cast<int32_t>(routes_.channels.size()));
    if (!fresh) return known->second;
    Channel channel{members, purpose, {}};
    for (base::Rank member : members) {
      const int32_t stage = program_.layout.stage_of(member).value;
      const auto present = route_of_stage_.find(stage);
      if (present == route_of_stage_.end() && !options_.absent_ranks_are_ready)
        fail<CheckError>(
            "rank {} of stage {} talks to rank {} of stage {}, whose list is not in this Program: {}\n"
            "  compile all stages, or take absent ranks as always ready",
            route.rank.value, route.list->stage, member.value, stage, program::to_text(instruction));
      if (present != route_of_stage_.end() &&
          std::find(channel.routes.begin(), channel.routes.end(), present->second) == channel.routes.end())
        channel.routes.push_back(present->second);
    }
    routes_.channels.push_back(std::move(channel));
    return known->second;
  }

  const Program& program_;
  const target::Target& target_;
  const Options& options_;
  Routes routes_;
  std::vector<int32_t> first_label_;  // by segment; -1: none yet
  std::map<int32_t, int32_t> route_of_stage_;
  std::map<std::pair<std::vector<base::Rank>, std::string>, int32_t> channel_of_;
};

}  // namespace

Label label_of(const Segment& segment, const Instruction& instruction) {
  Label label{std::string(graph::name_of(instruction.op)), std::string(program::name_of(segment.phase))};
  if (!instruction.label.empty()) label.name += " " + instruction.label;
  if (instruction.op == Op::send || instruction.op == Op::receive)
    label.kind = "transfer";
  else if (graph::is_communication(instruction.op))
    label.kind = "collective";
  else if (instruction.queue == program::Queue::host)
    label.kind = "host";
  return label;
}

Routes make_routes(const Program& program, const target::Target& target, const Options& options) {
  if (target.cores < 1) fail<CheckError>("the target '{}' has {} cores", target.name, target.cores);
  if (options.turns < 1) fail<CheckError>("{} turns; at least 1", options.turns);
  return Builder(program, target, options).build();
}

std::string describe(const Program& program, const Route& route, int32_t instance, const Move& move) {
  const Instance& at = route.list->instances[instance];
  return fmt::format("rank {}, {}, micro-batch {}, instruction {}: {}", route.rank.value,
                     program.segments[at.segment].name, at.micro_batch, move.index,
                     program::to_text(*move.instruction));
}

}  // namespace pleat::simulate
