// SPDX-License-Identifier: Apache-2.0
// The step as a value: segments once, and per rank the list of their instances. Complete: a reader never
// consults the job. One Program is one turn of a loop; verify proves it, simulate predicts it, run executes
// it.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "graph/signature.h"
#include "layout/layout.h"

namespace pleat::program {

inline constexpr int kFormat = 1;  // of the text form

// ---- memory
// ------------------------------------------------------------------------------------------------------

/// The areas of a rank's arena. Offsets into `frame` areas are relative to the instance's base; all others
/// are absolute.
enum class Area : uint8_t {
  state,     // parameters, moments: survives the step, one slot each
  gradient,  // accumulators and reduction buckets
  step,      // what is computed once a step: cast weights, tables, scalars, metrics
  input,     // what comes in with every micro-batch; a frame per micro-batch
  frame,     // what lives from F to B or W: a frame per chunk and micro-batch in flight
  arrival,   // cotangents received and sent; a frame per backward in flight
  scratch,   // transients within one segment, and kernels' workspace
  count_
};
inline constexpr int kAreas = static_cast<int>(Area::count_);
inline constexpr std::array<std::string_view, kAreas> kAreaNames{"state", "gradient", "step",   "input",
                                                                 "frame", "arrival",  "scratch"};
constexpr std::string_view name_of(Area area) {
  return kAreaNames[static_cast<size_t>(area)];
}
/// Areas whose regions are relative to the instance's bases.
constexpr bool is_framed(Area area) {
  return area == Area::input || area == Area::frame || area == Area::arrival;
}

enum class Memory : uint8_t { device, pinned, host, file };
inline constexpr std::array<std::string_view, 4> kMemoryNames{"device", "pinned", "host", "file"};

/// A rectangle of bytes in an area: rows of `type`, the first element at `offset` bytes.
struct Region {
  Area area = Area::scratch;
  int64_t offset = 0;
  graph::OperandType type;
  int32_t buffer =
      -1;  // of the stage: whose bytes these are while it lives, so that lives can be told apart; -1: unsaid
  int64_t end() const { return offset + type.bytes(); }
  bool operator==(const Region&) const = default;
};

// ---- instructions
// ------------------------------------------------------------------------------------------------

enum class Queue : uint8_t {
  compute,
  forward_in,
  forward_out,
  backward_in,
  backward_out,
  group,
  host,
  count_
};
inline constexpr int kQueues = static_cast<int>(Queue::count_);
inline constexpr std::array<std::string_view, kQueues> kQueueNames{
    "compute", "forward_in", "forward_out", "backward_in", "backward_out", "group", "host"};
constexpr std::string_view name_of(Queue queue) {
  return kQueueNames[static_cast<size_t>(queue)];
}

/// Whom a communication is with, relative to the rank's coordinates.
struct Party {
  layout::AxisSet axes;  // the group: ranks that differ in these axes only
  std::vector<int32_t>
      stages;  // of a group over pp: only these stages (empty: all); holders of a tied parameter
  int32_t stage_offset = 0;  // send, receive: the peer stands this many stages further
  std::string purpose;       // with the members: the channel
  bool operator==(const Party&) const = default;
};

/// How an instruction touches a result.
enum class Mode : uint8_t {
  write,       // version 1 of the region
  accumulate,  // added in micro-batch order; the first stores
  update,      // version v + 1 in the same slot, after all readers of v; under the guard
};
inline constexpr std::array<std::string_view, 3> kModeNames{"write", "accumulate", "update"};

struct Result {
  Region region;
  Mode mode = Mode::write;
  bool operator==(const Result&) const = default;
};

/// Computes or communicates, never both.
struct Instruction {
  graph::Op op = graph::Op::add;
  graph::Attributes attributes;
  std::string kernel;  // catalogue name; empty for a communication or host instruction
  Queue queue = Queue::compute;
  std::vector<Region> reads;
  std::vector<Result> results;
  std::optional<Region> workspace;
  std::optional<int> guard;      // which read is the flag under which updates happen
  std::vector<int32_t> waits;    // events of this instance, fired by other queues
  std::optional<int32_t> fires;  // event of this instance
  std::optional<Party> party;
  std::string label;  // where it comes from: "layers.3.qkv_proj", for people
  bool operator==(const Instruction&) const = default;
};

/// What an instruction reads and writes, stated once: passes, verify, simulate and run ask here.
struct Effect {
  Region region;
  enum class Kind : uint8_t { read, write, accumulate, update } kind = Kind::read;
};
std::vector<Effect> effects(const Instruction& instruction);

/// What its kernel is bound with.
graph::Signature signature_of(const Instruction& instruction);

// ---- segments and instances
// --------------------------------------------------------------------------------------

enum class Phase : uint8_t { begin, load, forward, backward, weight, transfer, reduce, update, count_ };
inline constexpr std::array<std::string_view, 8> kPhaseNames{"begin",  "load",     "forward", "backward",
                                                             "weight", "transfer", "reduce",  "update"};
constexpr std::string_view name_of(Phase phase) {
  return kPhaseNames[static_cast<size_t>(phase)];
}

/// A compiled piece of one chunk and phase, over local offsets.
struct Segment {
  std::string name;  // "forward 1"
  Phase phase = Phase::forward;
  int32_t chunk = -1;                     // -1: of the rank, not of a chunk
  int32_t events = 0;                     // its instructions fire 0 .. events - 1
  std::vector<Instruction> instructions;  // in a legal serial order
  bool operator==(const Segment&) const = default;
};

/// Before the instance's first instruction on `queue`: the event must have fired, `lag` turns ago.
struct Wait {
  Queue queue = Queue::compute;
  int32_t event = 0;  // of the rank's turn: an instance's first_event + local number
  int32_t lag = 0;    // 0: in this turn, 1: in the turn before
  bool operator==(const Wait&) const = default;
};

/// A segment on a rank for an item, with its frame bases.
struct Instance {
  int32_t segment = 0;
  int32_t micro_batch = -1;             // within the rank and step; -1: none
  int32_t slice = 0;                    // of the sequence, where there are slices
  bool first = true;                    // the first to accumulate: stores
  std::array<int64_t, kAreas> bases{};  // bytes, of the framed areas
  int32_t first_event = 0;
  std::vector<Wait> waits;
  bool operator==(const Instance&) const = default;
};

/// The two ways in which a rank can walk its list.
enum class Order : uint8_t {
  queues,    // every queue as far as its events let it
  in_order,  // list order, each instruction to its end
};

/// What ranks of one stage do, in order.
struct RankList {
  int32_t stage = 0;
  std::vector<Instance> instances;
  std::array<int64_t, kAreas> area_bytes{};
  int32_t events = 0;
  bool operator==(const RankList&) const = default;
};

// ---- state, inputs and outputs
// -----------------------------------------------------------------------------------

enum class Role : uint8_t { master, moment1, moment2 };
inline constexpr std::array<std::string_view, 3> kRoleNames{"weight", "m", "v"};

/// A slot of the state section. Depends on the Layout alone.
struct StateSlot {
  std::string name;  // of the parameter
  Role role = Role::master;
  base::Shape global;
  layout::Placements placements;
  int32_t stage = 0;             // of the list that has it
  std::vector<int32_t> holders;  // all stages with a copy, the lowest first
  Region region;                 // in Area::state
  bool operator==(const StateSlot&) const = default;
};

/// A named buffer that the caller fills (tokens of a micro-batch, scalars) or reads (metrics, logits).
struct Port {
  std::string name;
  int32_t stage = 0;
  Region region;
  std::vector<int64_t> bases;     // framed: one per micro-batch; else one 0
  layout::Placements placements;  // what the caller gives or gets over the mesh axes
  bool operator==(const Port&) const = default;
};

struct Program {
  std::string name;  // "train", "forward", "generate"
  layout::Layout layout;
  int32_t threads = 1;        // workers per rank
  int32_t micro_batches = 1;  // per rank and turn
  int64_t tokens = 0;         // tokens of one micro-batch on one rank
  std::vector<Segment> segments;
  std::vector<RankList> lists;  // one per stage that was compiled
  std::vector<StateSlot> state;
  std::vector<Port> inputs, outputs;
  std::array<Memory, kAreas> memory{};  // where each area lives
  int64_t allowance = 0;                // bytes for libraries, per rank
  bool operator==(const Program&) const = default;

  const RankList& list_of(base::Rank rank) const;
  /// Bytes of a rank's arena: areas one after the other, each at a multiple of kAlignment.
  int64_t arena_bytes(const RankList& list) const;
  /// How many a rank executes in a turn.
  int64_t instructions(const RankList& list) const;
};

inline constexpr int64_t kAlignment = 64;
constexpr int64_t aligned(int64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}
/// Offset of each area in the arena.
std::array<int64_t, kAreas> area_offsets(const RankList& list);

/// Text form and back, exact inverses: segments once, then one line of instances per list. from_text throws
/// DataError with the line, and refuses other formats.
std::string to_text(const Program& program);
Program from_text(std::string_view text);
/// One instruction as to_text writes it, for errors.
std::string to_text(const Instruction& instruction);

}  // namespace pleat::program
