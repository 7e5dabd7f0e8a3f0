// SPDX-License-Identifier: Apache-2.0
// What passes hand to each other: the graph of every stage, then pieces (segments over named buffers), their
// order, and at last the Program. A buffer is a place not yet given an address; a view is a buffer inside
// another one.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compile/compile.h"
#include "graph/graph.h"
#include "program/program.h"

namespace pleat::compile {

using program::Area;
using program::Mode;
using program::Phase;
using program::Queue;

struct Buffer {
  std::string name;
  graph::OperandType type;
  Area area = Area::scratch;
  int root = -1;       // the buffer this one is a view of; itself if it is none
  int64_t offset = 0;  // bytes from the root's start; after the frames pass of a root: in its area
};

struct Step {
  graph::Op op = graph::Op::add;
  graph::Attributes attributes;
  std::vector<int> reads;
  std::vector<std::pair<int, Mode>> results;
  Queue queue = Queue::compute;
  std::optional<int> guard;
  std::optional<program::Party> party;
  std::string label;
  int workspace = -1;  // a scratch buffer
  std::string kernel;
};

struct Piece {
  std::string name;
  Phase phase = Phase::forward;
  int chunk = -1;
  std::vector<Step> steps;
};

struct Turn {
  int piece = 0;
  int micro_batch = -1;
};

/// The cotangent of one use of a parameter, accumulated over the micro-batches.
struct GradientBuffer {
  std::string parameter;
  int use = 0;
  int buffer = -1;
};

struct StageDraft {
  base::Stage stage;
  graph::Graph graph;
  std::vector<Buffer> buffers;
  std::vector<int> buffer_of_value;  // -1: nowhere yet
  std::vector<Piece> pieces;
  std::vector<Turn> order;
  std::vector<GradientBuffer> gradients;
  std::vector<std::pair<std::string, int>>
      input_buffers;  // port name -> buffer, framed per micro-batch or step
  std::vector<program::StateSlot> state;
  std::vector<int> state_buffers;  // of state[i]

  int add_buffer(std::string name, graph::OperandType type, Area area);
  int add_view(int of, std::string name, graph::OperandType type, int64_t offset_bytes);
  /// The piece of this phase; CheckError if there is none.
  Piece& piece(Phase phase);
  int piece_index(Phase phase) const;  // -1: none
  int state_buffer(const std::string& parameter, program::Role role) const;
  int input_buffer(std::string_view name) const;  // -1: none
};

struct Draft {
  Request request;
  std::vector<StageDraft> stages;
  program::Program program;
};

struct Pass {
  std::string_view name;
  Draft (*run)(Draft);
};

// The passes, in order; each in passes/<name>.cpp.
Draft differentiate(Draft draft);  // forward graphs -> joint graphs
Draft split(Draft draft);          // weight gradients become phase W
Draft segments(Draft draft);       // graphs -> pieces over buffers
Draft schedule(Draft draft);       // the order of pieces per stage
Draft transfers(Draft draft);      // sends and receives between stages
Draft reductions(Draft draft);     // shares are discharged, in buckets
Draft optimizer(Draft draft);      // norm, clip, AdamW
Draft guard(Draft draft);          // updates only under the flag
Draft outputs(Draft draft);        // what goes out to the caller
Draft kernels(Draft draft);        // the catalogue's choice, workspaces
Draft frames(Draft draft);         // addresses
Draft queues(Draft draft);         // events across queues

std::string to_text(const Draft& draft);

}  // namespace pleat::compile
