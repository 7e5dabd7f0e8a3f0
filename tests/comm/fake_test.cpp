// SPDX-License-Identifier: Apache-2.0
// The communicator without a world: what it records, what it leaves in the buffers, and how it stalls and
// fails on demand.
#include "harness.h"

namespace pleat::comm {
namespace {

const base::Rank kSelf(2);
constexpr int kWorld = 4;

TEST(Fake, RecordsPostsInOrder) {
  FakeCommunicator comm(kSelf, kWorld);
  std::vector<float> data(8);
  const ChannelId message = comm.open(channel_of({2, 3}, "forward"));
  const ChannelId group = comm.open(channel_of(everyone(kWorld), "gradients"));
  EXPECT_TRUE(comm.poll(comm.send(message, bytes_of(data))));
  EXPECT_TRUE(comm.poll(comm.all_reduce(group, bytes_of(data), base::DType::f32)));
  const RowBlock block{.member = 1, .row = 3, .rows = 2};
  EXPECT_TRUE(comm.poll(comm.exchange(group, bytes_of(data), bytes_of(data), 4, {&block, 1}, {})));

  ASSERT_EQ(comm.posted().size(), 3u);
  EXPECT_EQ(comm.posted()[0].kind, Kind::send);
  EXPECT_EQ(comm.posted()[0].in_bytes, 32);
  EXPECT_EQ(comm.channel(comm.posted()[0].channel), channel_of({2, 3}, "forward"));
  EXPECT_EQ(comm.posted()[1].kind, Kind::all_reduce);
  EXPECT_EQ(comm.posted()[1].channel, group);
  EXPECT_EQ(comm.posted()[2].row_bytes, 4);
  ASSERT_EQ(comm.posted()[2].sends.size(), 1u);
  EXPECT_EQ(comm.posted()[2].sends[0].row, 3);
  EXPECT_TRUE(comm.posted()[2].receives.empty());
}

TEST(Fake, KeepsOwnDataAndFillsTheRestWithZeros) {
  FakeCommunicator comm(kSelf, kWorld);
  const ChannelId group = comm.open(channel_of(everyone(kWorld), "group"));
  std::vector<int32_t> data{1, 2, 3, 4};
  std::vector<int32_t> out(4, 9);
  comm.all_reduce(group, bytes_of(data), base::DType::i32);
  EXPECT_EQ(data, (std::vector<int32_t>{1, 2, 3, 4}));
  comm.all_gather(group, bytes_of(data).first(4), bytes_of(out));
  EXPECT_EQ(out, (std::vector<int32_t>{0, 0, 1, 0}));
  comm.all_to_all(group, bytes_of(data), bytes_of(out));
  EXPECT_EQ(out, (std::vector<int32_t>{0, 0, 3, 0}));
  comm.reduce_scatter(group, bytes_of(data), bytes_of(out).first(4), base::DType::i32);
  EXPECT_EQ(out, (std::vector<int32_t>{3, 0, 3, 0}));
  comm.receive(comm.open(channel_of({0, 2}, "message")), bytes_of(data));
  EXPECT_EQ(data, (std::vector<int32_t>{0, 0, 0, 0}));
}

TEST(Fake, ExchangesRowsWithItself) {
  FakeCommunicator comm(kSelf, kWorld);
  const ChannelId group = comm.open(channel_of(everyone(kWorld), "dispatch"));
  const std::vector<int32_t> in{1, 2, 3, 4};
  std::vector<int32_t> out(5, 9);
  const std::vector<RowBlock> sends{{.member = 0, .row = 0, .rows = 1}, {.member = 2, .row = 1, .rows = 2}};
  const std::vector<RowBlock> receives{{.member = 2, .row = 3, .rows = 1},
                                       {.member = 1, .row = 1, .rows = 1},
                                       {.member = 2, .row = 2, .rows = 1}};
  comm.exchange(group, bytes_of(in), bytes_of(out), 4, sends, receives);
  EXPECT_EQ(out, (std::vector<int32_t>{9, 0, 3, 2, 9}));
}

TEST(Fake, StallsOnDemandWithAllThatFollowsOnTheChannel) {
  FakeCommunicator comm(kSelf, kWorld);
  const ChannelId stalled = comm.open(channel_of(everyone(kWorld), "gradients"));
  const ChannelId other = comm.open(channel_of({2, 3}, "forward"));
  std::vector<float> data(8);
  comm.stall([](const Posted& post) { return post.kind == Kind::all_reduce; });
  EXPECT_TRUE(comm.poll(comm.all_to_all(stalled, bytes_of(data), bytes_of(data))));
  const Ticket never = comm.all_reduce(stalled, bytes_of(data), base::DType::f32);
  EXPECT_FALSE(comm.poll(never));
  EXPECT_EQ(comm.waiting_for(never), (std::vector<base::Rank>{base::Rank(0), base::Rank(1), base::Rank(3)}));
  EXPECT_FALSE(comm.poll(comm.all_to_all(stalled, bytes_of(data), bytes_of(data))));
  EXPECT_TRUE(comm.poll(comm.send(other, bytes_of(data))));
  comm.wait_for_change(comm.change_count(), 1);
  EXPECT_FALSE(comm.poll(never));
}

TEST(Fake, FailsOnDemand) {
  FakeCommunicator comm(kSelf, kWorld);
  std::vector<float> data(8);
  const Ticket ticket = comm.send(comm.open(channel_of({2, 3}, "forward")), bytes_of(data));
  comm.fail_as(base::Rank(1), "out of memory");
  for (const auto& call : std::vector<std::function<void()>>{
           [&] { comm.poll(ticket); },
           [&] { comm.wait_for_change(comm.change_count(), kHangMilliseconds); }}) {
    try {
      call();
      ADD_FAILURE() << "did not throw";
    } catch (const base::CommError& error) {
      EXPECT_STREQ(error.what(), "rank 1 failed: out of memory");
    }
  }
}

}  // namespace
}  // namespace pleat::comm
