// SPDX-License-Identifier: Apache-2.0
// A Program made ready to be walked: per stage the moves of every segment by lane, with what they cost, and
// the channels between them. Instances are not expanded; a walker keeps its place in them.
#pragma once
#include <string>
#include <vector>

#include "program/program.h"
#include "simulate/cost.h"
#include "simulate/simulate.h"

namespace pleat::simulate {

/// An instruction of a segment, as a rank of one stage meets it.
struct Move {
  const program::Instruction* instruction = nullptr;
  int32_t index = 0;         // in the segment
  bool opens_queue = false;  // the segment's first on its queue: the instance's waits are before it
  bool communicates = false;
  int32_t label = 0;  // in Routes::labels
  Work work;          // computing and host instructions
  Transfer transfer;  // communications
  int32_t channel = -1;
  int32_t seat = -1;  // of this route in the channel
};

/// A lane is what a walker goes through in order: a queue, or all of them where the list's order rules.
struct Lane {
  std::vector<int32_t> instances;  // those with a move in this lane
};

/// What each rank of a stage walks.
struct Route {
  const program::RankList* list = nullptr;
  base::Rank rank;    // the first of the stage, which stands for all
  int64_t ranks = 1;  // of the stage
  std::vector<Lane> lanes;
  std::vector<std::vector<std::vector<Move>>> moves;  // by segment and lane
};

/// Where the k-th operation of every member meets.
struct Channel {
  std::vector<base::Rank> members;
  std::string purpose;
  std::vector<int32_t> routes;  // the walkers that are members, by seat
};

struct Routes {
  std::vector<Route> routes;
  std::vector<Channel> channels;
  std::vector<Label> labels;
};

/// CheckError for numbers out of range, and for a communication with a stage that has no list.
Routes make_routes(const program::Program& program, const target::Target& target, const Options& options);

/// "rank 2, forward 1, micro-batch 3, instruction 5: matmul ..."
std::string describe(const program::Program& program, const Route& route, int32_t instance, const Move& move);

}  // namespace pleat::simulate
