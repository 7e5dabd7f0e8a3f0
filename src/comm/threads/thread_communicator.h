// SPDX-License-Identifier: Apache-2.0
// One rank of a ThreadWorld. A poll works on every open operation of its rank, not only on the one asked for:
// a member that waits for this rank's share must get it whatever this rank waits for.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "comm/threads/transfer.h"
#include "comm/threads/world_state.h"

namespace pleat::comm {

class ThreadCommunicator final : public Communicator {
 public:
  ThreadCommunicator(std::shared_ptr<WorldState> state, base::Rank rank);
  ~ThreadCommunicator() override;

  base::Rank rank() const override { return rank_; }
  int world() const override { return state_->ranks(); }
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
  void fail(const std::string& reason) override { state_->fail(rank_, reason); }
  uint32_t change_count() const override { return state_->bell(rank_).count(); }
  void wait_for_change(uint32_t seen, int milliseconds) override;
  std::vector<base::Rank> waiting_for(Ticket ticket) const override;

 private:
  /// This rank's end of a channel. Its operations complete in order, so two counts say which are open.
  struct Endpoint {
    SharedChannel* shared = nullptr;
    int position = 0;
    int64_t posted = 0;
    int64_t completed = 0;
    Transfer transfer;  // of operation `completed`
  };
  struct Place {
    int channel = 0;
    int64_t number = 0;
  };
  Place place_of(Ticket ticket) const;
  Ticket post(ChannelId channel, const Operation& operation);
  bool progress(Endpoint& asked, int64_t number);
  bool advance(Endpoint& endpoint, int64_t& budget);
  static void begin(Endpoint& endpoint);
  static bool complete_if_done(Endpoint& endpoint);
  void ring_others(const Endpoint& endpoint);
  void check_nobody_left(const Endpoint& endpoint);
  std::string open_operations();

  std::shared_ptr<WorldState> state_;
  base::Rank rank_;
  int exceptions_at_join_;
  std::vector<Endpoint> endpoints_;  // by ChannelId
};

}  // namespace pleat::comm
