// SPDX-License-Identifier: Apache-2.0
#include "program/program.h"

#include "base/errors.h"

namespace pleat::program {

std::vector<Effect> effects(const Instruction& instruction) {
  std::vector<Effect> all;
  for (const Region& read : instruction.reads) all.push_back({read, Effect::Kind::read});
  for (const Result& result : instruction.results) {
    switch (result.mode) {
      case Mode::write:
        all.push_back({result.region, Effect::Kind::write});
        break;
      case Mode::accumulate:
        all.push_back({result.region, Effect::Kind::accumulate});
        break;
      case Mode::update:
        all.push_back({result.region, Effect::Kind::update});
        break;
    }
  }
  if (instruction.workspace) all.push_back({*instruction.workspace, Effect::Kind::write});
  return all;
}

graph::Signature signature_of(const Instruction& instruction) {
  graph::Signature signature{instruction.op, instruction.attributes, {}, {}, 0};
  for (const Region& read : instruction.reads) signature.reads.push_back(read.type);
  for (size_t i = 0; i < instruction.results.size(); ++i) {
    signature.writes.push_back(instruction.results[i].region.type);
    if (instruction.results[i].mode == Mode::accumulate) signature.accumulates |= 1u << i;
  }
  return signature;
}

const RankList& Program::list_of(base::Rank rank) const {
  const base::Stage stage = layout.stage_of(rank);
  for (const RankList& list : lists)
    if (list.stage == stage.value) return list;
  base::fail<base::CheckError>("the Program has no list for stage {} of rank {}", stage.value, rank.value);
}

std::array<int64_t, kAreas> area_offsets(const RankList& list) {
  std::array<int64_t, kAreas> offsets{};
  int64_t next = 0;
  for (int area = 0; area < kAreas; ++area) {
    offsets[area] = next;
    next += aligned(list.area_bytes[area]);
  }
  return offsets;
}

int64_t Program::arena_bytes(const RankList& list) const {
  int64_t bytes = 0;
  for (int64_t area : list.area_bytes) bytes += aligned(area);
  return bytes;
}

int64_t Program::instructions(const RankList& list) const {
  int64_t count = 0;
  for (const Instance& instance : list.instances)
    count += static_cast<int64_t>(segments[instance.segment].instructions.size());
  return count;
}

}  // namespace pleat::program
