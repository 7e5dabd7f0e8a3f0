// SPDX-License-Identifier: Apache-2.0
// frames: every buffer gets its address, and the Program is written. State, gradients and once-a-step values
// stand side by side; a frame is laid out once and coloured per micro-batch in flight; transients of a
// segment share the scratch area, coloured by their lives. Peak memory is a sum from here on.
#include <algorithm>
#include <map>

#include "base/errors.h"
#include "compile/draft.h"

namespace pleat::compile {
namespace {

using program::aligned;
using program::Instance;
using program::kAreas;
using program::Region;

constexpr int index_of(Area area) {
  return static_cast<int>(area);
}

std::vector<int> buffers_of(const Step& step) {
  std::vector<int> all = step.reads;
  for (const auto& [result, mode] : step.results) all.push_back(result);
  if (step.workspace >= 0) all.push_back(step.workspace);
  return all;
}

class Frames {
 public:
  Frames(const Request& request, StageDraft& stage, program::Program& program)
      : request_(request), stage_(stage), program_(program) {
    list_.stage = stage.stage.value;
    first_segment_ = static_cast<int>(program.segments.size());
  }

  void run() {
    place_in_line();
    for (const Piece& piece : stage_.pieces) place_scratch(piece);
    for (const Piece& piece : stage_.pieces) program_.segments.push_back(segment_of(piece));
    color_instances();
    for (size_t i = 0; i < stage_.state.size(); ++i) stage_.state[i].region = region(stage_.state_buffers[i]);
    program_.state.insert(program_.state.end(), stage_.state.begin(), stage_.state.end());
    write_ports();
    program_.lists.push_back(std::move(list_));
  }

 private:
  /// Everything but scratch: one after the other, in order of creation.
  void place_in_line() {
    frame_bytes_.fill(0);
    for (size_t i = 0; i < stage_.buffers.size(); ++i) {
      const Buffer& buffer = stage_.buffers[i];
      if (buffer.root != static_cast<int>(i) || buffer.area == Area::scratch) continue;
      int64_t& end = frame_bytes_[index_of(buffer.area)];
      address_[static_cast<int>(i)] = end;
      end += aligned(buffer.type.bytes());
    }
    for (int area = 0; area < kAreas; ++area) list_.area_bytes[area] = frame_bytes_[area];
  }

  /// First fit over lives [first touch, last touch] in the piece's serial order.
  void place_scratch(const Piece& piece) {
    struct Life {
      int root, first, last;
    };
    std::map<int, Life> lives;
    for (size_t i = 0; i < piece.steps.size(); ++i)
      for (int buffer : buffers_of(piece.steps[i])) {
        const int root = stage_.buffers[buffer].root, at = static_cast<int>(i);
        if (stage_.buffers[root].area != Area::scratch) continue;
        const auto [life, fresh] = lives.try_emplace(root, Life{root, at, at});
        if (!fresh) life->second.last = at;
      }
    std::vector<Life> order;
    for (const auto& [root, life] : lives) order.push_back(life);
    std::sort(order.begin(), order.end(), [](const Life& a, const Life& b) {
      return std::tie(a.first, a.root) < std::tie(b.first, b.root);
    });
    std::vector<std::pair<Life, int64_t>> placed;
    for (const Life& life : order) {
      const int64_t bytes = aligned(stage_.buffers[life.root].type.bytes());
      std::vector<std::pair<int64_t, int64_t>> taken;
      for (const auto& [other, offset] : placed)
        if (other.last >= life.first)
          taken.emplace_back(offset, offset + aligned(stage_.buffers[other.root].type.bytes()));
      std::sort(taken.begin(), taken.end());
      int64_t offset = 0;
      for (const auto& [begin, end] : taken) {
        if (offset + bytes <= begin) break;
        offset = std::max(offset, end);
      }
      placed.emplace_back(life, offset);
      address_[life.root] = offset;
      int64_t& top = list_.area_bytes[index_of(Area::scratch)];
      top = std::max(top, offset + bytes);
    }
  }

  Region region(int buffer) const {
    const Buffer& b = stage_.buffers[buffer];
    return {b.area, address_.at(b.root) + b.offset, b.type, b.root};
  }

  program::Segment segment_of(const Piece& piece) const {
    program::Segment segment{piece.name, piece.phase, piece.chunk, 0, {}};
    if (segment.chunk < 0) segment.name = fmt::format("{} of stage {}", piece.name, stage_.stage.value);
    for (const Step& step : piece.steps) {
      program::Instruction instruction;
      instruction.op = step.op;
      instruction.attributes = step.attributes;
      instruction.kernel = step.kernel;
      instruction.queue = step.queue;
      for (int read : step.reads) instruction.reads.push_back(region(read));
      for (const auto& [result, mode] : step.results) instruction.results.push_back({region(result), mode});
      if (step.workspace >= 0) instruction.workspace = region(step.workspace);
      instruction.guard = step.guard;
      instruction.party = step.party;
      instruction.label = step.label;
      segment.instructions.push_back(std::move(instruction));
    }
    return segment;
  }

  bool touches(const Piece& piece, Area area) const {
    for (const Step& step : piece.steps)
      for (int buffer : buffers_of(step))
        if (stage_.buffers[buffer].area == area) return true;
    return false;
  }

  void color_instances() {
    std::vector<bool> seen(stage_.pieces.size(), false);
    for (const Turn& turn : stage_.order) {
      Instance instance;
      instance.segment = first_segment_ + turn.piece;
      instance.micro_batch = turn.micro_batch;
      instance.first = !seen[turn.piece];
      seen[turn.piece] = true;
      list_.instances.push_back(instance);
    }
    for (Area area : {Area::input, Area::frame, Area::arrival}) color(area);
  }

  /// The lowest free slot for each micro-batch from its first to its last instance that touches the area.
  void color(Area area) {
    const int64_t bytes = frame_bytes_[index_of(area)];
    std::vector<bool> piece_touches;
    for (const Piece& piece : stage_.pieces) piece_touches.push_back(touches(piece, area));
    std::map<int, int> last;
    for (size_t i = 0; i < stage_.order.size(); ++i)
      if (piece_touches[stage_.order[i].piece]) last[stage_.order[i].micro_batch] = static_cast<int>(i);
    std::map<int, int64_t> slot_of;
    std::vector<bool> taken;
    for (size_t i = 0; i < stage_.order.size(); ++i) {
      const Turn& turn = stage_.order[i];
      if (!piece_touches[turn.piece]) continue;
      if (!slot_of.contains(turn.micro_batch)) {
        const auto free = std::find(taken.begin(), taken.end(), false);
        slot_of[turn.micro_batch] = free - taken.begin();
        if (free == taken.end())
          taken.push_back(true);
        else
          *free = true;
      }
      list_.instances[i].bases[index_of(area)] = slot_of[turn.micro_batch] * bytes;
      if (last[turn.micro_batch] == static_cast<int>(i)) taken[slot_of[turn.micro_batch]] = false;
    }
    list_.area_bytes[index_of(area)] = static_cast<int64_t>(taken.size()) * bytes;
  }

  void write_ports() {
    for (const auto& [name, buffer] : stage_.input_buffers) {
      program::Port port{name, stage_.stage.value, region(buffer), {0}, placements_of(name)};
      if (program::is_framed(port.region.area)) port.bases.clear();
      for (const Instance& instance : list_.instances)
        if (program::is_framed(port.region.area) && program_.segments[instance.segment].phase == Phase::load)
          port.bases.push_back(instance.bases[index_of(port.region.area)]);
      program_.inputs.push_back(std::move(port));
    }
    for (const Piece& piece : stage_.pieces)
      for (const Step& step : piece.steps)
        if (step.op == graph::Op::emit)
          program_.outputs.push_back(
              {step.attributes.word("port"), stage_.stage.value, region(step.reads[0]), {}, {}});
  }

  /// Of an input; the step's own scalars are no values of the graph and equal everywhere.
  layout::Placements placements_of(const std::string& input) const {
    for (const graph::Value& value : stage_.graph.values)
      if (value.source == graph::Source::input && value.name == input) return value.type.placements;
    return {};
  }

  const Request& request_;
  StageDraft& stage_;
  program::Program& program_;
  program::RankList list_;
  int first_segment_ = 0;
  std::map<int, int64_t> address_;  // of roots
  std::array<int64_t, kAreas> frame_bytes_{};
};

/// What a rank takes outside its arena: pages of code, its threads' stacks, kernels and channels (0.7 MiB
/// were measured on one rank, less on each of several), and one bound item for every instruction of its list
/// (210 bytes each were measured).
int64_t allowance_of(const program::Program& program) {
  constexpr int64_t kFixed = int64_t{1} << 20, kPerInstruction = 256;
  int64_t longest = 0;
  for (const program::RankList& list : program.lists) longest = std::max(longest, program.instructions(list));
  return kFixed + kPerInstruction * longest;
}

}  // namespace

Draft frames(Draft draft) {
  const Request& r = draft.request;
  program::Program& p = draft.program;
  p.name = r.name;
  p.layout = r.layout;
  p.threads = r.threads;
  p.micro_batches = static_cast<int32_t>(r.micro_batches);
  p.tokens = r.micro_batch * r.sequence;
  p.memory.fill(program::Memory::device);
  for (StageDraft& stage : draft.stages) Frames(r, stage, p).run();
  p.allowance = allowance_of(p);
  return draft;
}

}  // namespace pleat::compile
