// SPDX-License-Identifier: Apache-2.0
// Strong ids: a Stage passed where a Rank is wanted does not compile.
#pragma once
#include <compare>
#include <cstdint>
#include <functional>

namespace pleat::base {

template <class Tag>
struct Id {
  int32_t value = -1;
  constexpr Id() = default;
  constexpr explicit Id(int64_t number) : value(static_cast<int32_t>(number)) {}
  constexpr bool valid() const { return value >= 0; }
  constexpr auto operator<=>(const Id&) const = default;
};

using Rank = Id<struct RankTag>;              // position in the world
using Stage = Id<struct StageTag>;            // pipeline position
using Chunk = Id<struct ChunkTag>;            // part of the model, numbered in model order
using MicroBatch = Id<struct MicroBatchTag>;  // within one rank and step
using ValueId = Id<struct ValueTag>;
using OperationId = Id<struct OperationTag>;
using SegmentId = Id<struct SegmentTag>;
using InstanceId = Id<struct InstanceTag>;  // position in a rank's list
using QueueId = Id<struct QueueTag>;
using EventId = Id<struct EventTag>;

}  // namespace pleat::base

template <class Tag>
struct std::hash<pleat::base::Id<Tag>> {
  size_t operator()(pleat::base::Id<Tag> id) const { return std::hash<int32_t>()(id.value); }
};
