// SPDX-License-Identifier: Apache-2.0
// One rank of a world that is not there: records what is posted and completes it at once, so that one rank of
// a large job runs alone. What others would have sent is zero bytes; reductions leave the caller's own data.
// Can stall and fail on demand.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "comm/communicator.h"
#include "comm/operation.h"

namespace pleat::comm {

/// A post as it was made, without its buffers.
struct Posted {
  Communicator::Ticket ticket = 0;
  Communicator::ChannelId channel = 0;
  Kind kind = Kind::send;
  base::DType dtype = base::DType::f32;
  int64_t in_bytes = 0;
  int64_t out_bytes = 0;
  int64_t row_bytes = 0;
  std::vector<RowBlock> sends;
  std::vector<RowBlock> receives;
};

class FakeCommunicator final : public Communicator {
 public:
  FakeCommunicator(base::Rank rank, int world);

  const std::vector<Posted>& posted() const { return posted_; }
  const Channel& channel(ChannelId id) const;

  /// Posts for which `stalls` is true never complete, nor do later ones on their channel (for watchdogs).
  void stall(std::function<bool(const Posted&)> stalls);
  /// The next poll or wait throws as if `rank` had failed with `reason`.
  void fail_as(base::Rank rank, const std::string& reason);

  base::Rank rank() const override { return rank_; }
  int world() const override { return world_; }
  ChannelId open(const Channel& channel) override;
  Ticket send(ChannelId channel, std::span<const std::byte> data) override;
  Ticket receive(ChannelId channel, std::span<std::byte> data) override;
  Ticket all_reduce(ChannelId channel, std::span<std::byte> data, base::DType dtype) override;
  Ticket all_gather(ChannelId channel, std::span<const std::byte> in, std::span<std::byte> out) override;
  Ticket reduce_scatter(ChannelId channel, std::span<const std::byte> in, std::span<std::byte> out,
                        base::DType dtype) override;
  Ticket all_to_all(ChannelId channel, std::span<const std::byte> in, std::span<std::byte> out) override;
  Ticket exchange(ChannelId channel, std::span<const std::byte> in, std::span<std::byte> out,
                  int64_t row_bytes, std::span<const RowBlock> sends,
                  std::span<const RowBlock> receives) override;
  bool poll(Ticket ticket) override;
  void fail(const std::string& reason) override;
  uint32_t change_count() const override { return changes_; }
  void wait_for_change(uint32_t seen, int milliseconds) override;
  std::vector<base::Rank> waiting_for(Ticket ticket) const override;

 private:
  struct Opened {
    Channel channel;
    int position = 0;
    bool stalled = false;
  };
  Ticket post(ChannelId channel, const Operation& operation);
  void check_alive() const;

  base::Rank rank_;
  int world_;
  std::vector<Opened> channels_;
  std::vector<Posted> posted_;    // by ticket
  std::vector<bool> incomplete_;  // by ticket
  std::function<bool(const Posted&)> stalls_;
  std::optional<std::string> failure_;
  uint32_t changes_ = 0;
};

}  // namespace pleat::comm
