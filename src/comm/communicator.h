// SPDX-License-Identifier: Apache-2.0
// What a transport does for one rank: post an operation, poll it, never block. Posts on one channel complete
// in order. Not here: who talks to whom and when (the Program says), and threads (run owns them).
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/ids.h"

namespace pleat::comm {

/// Two ranks that exchange messages (members[0] sends, members[1] receives), or a group that acts together.
/// Equal channels (members in order, purpose) on the members are the same channel.
struct Channel {
  std::vector<base::Rank> members;  // group order: the order of every reduction and concatenation
  std::string purpose;              // e.g. "forward chunk 1", "gradients", "dispatch"
  bool operator==(const Channel&) const = default;
};

/// Rows that go from the caller to one member (send) or come from it (receive): whole rows of `row_bytes`.
struct RowBlock {
  int member = 0;   // position in the channel
  int64_t row = 0;  // first row in the caller's buffer
  int64_t rows = 0;
};

class Communicator {
 public:
  virtual ~Communicator() = default;
  using ChannelId = int;
  using Ticket = int64_t;

  virtual base::Rank rank() const = 0;
  virtual int world() const = 0;

  /// Before the first post; collective over nobody (members may open at different times).
  virtual ChannelId open(const Channel& channel) = 0;

  /// Buffers stay untouched (send) or unread (receive) until the ticket is done.
  virtual Ticket send(ChannelId channel, std::span<const std::byte> data) = 0;
  virtual Ticket receive(ChannelId channel, std::span<std::byte> data) = 0;
  /// In place, summed in group order element by element (f32, f64, i32, i64; bf16 sums in fp32 and rounds
  /// once):
  /// ((x0 + x1) + x2) + ...
  virtual Ticket all_reduce(ChannelId channel, std::span<std::byte> data, base::DType dtype) = 0;
  /// out = concatenation of the members' `in`, all of one size.
  virtual Ticket all_gather(ChannelId channel, std::span<const std::byte> in, std::span<std::byte> out) = 0;
  /// out = the caller's part (group position) of the sum in group order of the members' `in`; out is 1/size
  /// of in.
  virtual Ticket reduce_scatter(ChannelId channel, std::span<const std::byte> in, std::span<std::byte> out,
                                base::DType dtype) = 0;
  /// in = one equal part per member, out = one equal part from each member.
  virtual Ticket all_to_all(ChannelId channel, std::span<const std::byte> in, std::span<std::byte> out) = 0;
  /// Ragged rows: each pair (source, destination) names the same blocks in the same order, the caller's own
  /// among them; empty blocks count for nothing. A pair that disagrees on a block's rows is a CommError on
  /// both. Rows that no receive names stay as they are. Blocks are read during the call only.
  virtual Ticket exchange(ChannelId channel, std::span<const std::byte> in, std::span<std::byte> out,
                          int64_t row_bytes, std::span<const RowBlock> sends,
                          std::span<const RowBlock> receives) = 0;

  /// True when the ticket is complete (then it may be forgotten). Makes progress on every open operation of
  /// this rank. Throws CommError when another rank has failed; the message names that rank and its error.
  virtual bool poll(Ticket ticket) = 0;

  /// Tells every rank that this one ends with `reason`; their next poll or wait throws. The first reason
  /// stays. When this returns (or poll or wait throws) no other rank touches the caller's buffers any more:
  /// call it before they go.
  virtual void fail(const std::string& reason) = 0;

  /// Sleeps until something may have changed since `seen` (a value that change_count() gave before the polls
  /// that found nothing to do) or `milliseconds` passed.
  virtual uint32_t change_count() const = 0;
  virtual void wait_for_change(uint32_t seen, int milliseconds) = 0;

  /// For the watchdog: the members of the channel that have not posted what this ticket waits for or, when
  /// all have, those that have not done their part of it.
  virtual std::vector<base::Rank> waiting_for(Ticket ticket) const = 0;
};

}  // namespace pleat::comm
