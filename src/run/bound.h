// SPDX-License-Identifier: Apache-2.0
// A rank's list, flattened and bound: pointers instead of regions, kernels instead of names, channels instead
// of parties. Made once; the step loop only reads it.
#pragma once
#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "comm/communicator.h"
#include "kernels/kernel.h"
#include "program/program.h"
#include "tensor/arena.h"

namespace pleat::run {

/// Where expert rows stand, for exchange: read from the counts when the instruction runs.
struct ExchangePlan {
  int position = 0;  // of this rank in the group
  int members = 1;
  int64_t experts = 0;
  int64_t tile = 1;
  bool inverse = false;
  int64_t row_bytes = 0;
};

/// One instruction of one instance.
struct Item {
  const program::Instruction* instruction = nullptr;
  int instance = 0;
  int index = 0;  // in the segment
  int micro_batch = -1;
  bool first = true;
  const kernels::Kernel* kernel = nullptr;     // of a computation
  comm::Communicator::ChannelId channel = -1;  // of a communication
  ExchangePlan exchange;                       // of an exchange
  std::string_view port;                       // of load and emit
  std::span<std::byte*> reads, writes;         // into BoundList::pointers
  std::byte* workspace = nullptr;
  std::vector<program::Wait> waits;  // the instruction's and, of the first on its queue, the instance's
  int fires = -1;                    // event of the rank's turn
};

struct BoundList {
  std::vector<Item> items;                                // list order
  std::array<std::vector<int>, program::kQueues> queues;  // item numbers, in order
  std::vector<std::byte*> pointers;
  std::vector<std::vector<std::unique_ptr<kernels::Kernel>>> kernels;  // by segment and instruction
  int events = 0;
};

BoundList bind_list(const program::Program& program, base::Rank rank, const tensor::Arena& arena,
                    comm::Communicator& communicator, int team_size);

/// The members of a communication, in order.
comm::Channel channel_of(const program::Program& program, base::Rank rank,
                         const program::Instruction& instruction);

ExchangePlan exchange_plan(const program::Program& program, base::Rank rank,
                           const program::Instruction& instruction);

/// The rows to send and to receive, from every source's counts [P,E] i32; the vectors keep their capacity.
void exchange_blocks(const ExchangePlan& plan, const int32_t* counts, std::vector<comm::RowBlock>& sends,
                     std::vector<comm::RowBlock>& receives);

}  // namespace pleat::run
