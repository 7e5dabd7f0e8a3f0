// SPDX-License-Identifier: Apache-2.0
// What only the communicator of threads promises: sleeping and waking, whom a ticket waits for, and no
// allocation once warm.
#include <atomic>
#include <barrier>
#include <chrono>

#include "allocations.h"
#include "harness.h"

namespace pleat::comm {
namespace {

TEST(Threads, PostsAndPollsAllocateNothingOnceWarm) {
  constexpr int kRanks = 3;
  expect_no_errors(run_threads(kRanks, [](Communicator& comm) {
    const int rank = comm.rank().value;
    const ChannelId group = comm.open(channel_of(everyone(kRanks), "group"));
    const ChannelId to = comm.open(channel_of({rank, (rank + 1) % kRanks}, "ring"));
    const ChannelId from = comm.open(channel_of({(rank + kRanks - 1) % kRanks, rank}, "ring"));
    std::vector<float> a(300);
    std::vector<float> b(900);
    std::vector<RowBlock> blocks;
    for (int member = 0; member < kRanks; ++member)
      blocks.push_back({.member = member, .row = member, .rows = 1});
    const auto step = [&] {
      const Ticket sent = comm.send(to, bytes_of(a));
      finish_all(comm, comm.receive(from, bytes_of(b).first(1200)), sent);
      finish(comm, comm.all_reduce(group, bytes_of(a), base::DType::f32));
      finish(comm, comm.all_gather(group, bytes_of(a), bytes_of(b)));
      finish(comm, comm.reduce_scatter(group, bytes_of(b), bytes_of(a), base::DType::f32));
      finish(comm, comm.exchange(group, bytes_of(a), bytes_of(b), 4, blocks, blocks));
    };
    // As many warm steps as it takes for every meeting of every ring to have been used.
    for (int i = 0; i < 10; ++i) step();
    const int64_t before = allocations_of_this_thread();
    for (int i = 0; i < 100; ++i) step();
    if (const int64_t now = allocations_of_this_thread(); now != before)
      base::fail<base::CheckError>("{} allocations in 100 warm steps", now - before);
  }));
}

TEST(Threads, ASleepEndsWithItsTimeOrAtOnceIfSomethingHasChanged) {
  ThreadWorld world(2);
  const auto comm = world.join(base::Rank(0));
  const auto start = std::chrono::steady_clock::now();
  comm->wait_for_change(comm->change_count(), 5);  // returns by itself
  comm->wait_for_change(comm->change_count() - 1, kHangMilliseconds);
  comm->wait_for_change(comm->change_count(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(kHangMilliseconds / 2));
}

TEST(Threads, APostWakesWhoSleepsForIt) {
  expect_no_errors(run_threads(2, [](Communicator& comm) {
    const ChannelId there = comm.open(channel_of({0, 1}, "ping"));
    const ChannelId back = comm.open(channel_of({1, 0}, "pong"));
    std::vector<std::byte> data(8);
    // Each message is awaited asleep: a lost wake-up takes a minute and is reported as a hang by finish().
    for (int i = 0; i < 500; ++i) {
      if (comm.rank().value == 0) {
        finish(comm, comm.send(there, data));
        finish(comm, comm.receive(back, data));
      } else {
        finish(comm, comm.receive(there, data));
        finish(comm, comm.send(back, data));
      }
    }
  }));
}

TEST(Threads, WaitingForNamesThoseThatHaveNotPosted) {
  constexpr int kRanks = 4;
  std::barrier posted(kRanks);
  std::barrier looked(kRanks);
  expect_no_errors(run_threads(kRanks, [&](Communicator& comm) {
    const int rank = comm.rank().value;
    const ChannelId group = comm.open(channel_of({3, 1, 0, 2}, "group"));
    std::vector<float> data(100);
    Ticket ticket = -1;
    if (rank < 2) ticket = comm.all_reduce(group, bytes_of(data), base::DType::f32);
    posted.arrive_and_wait();
    std::vector<base::Rank> late;
    if (rank < 2) late = comm.waiting_for(ticket);
    looked.arrive_and_wait();
    if (rank < 2 && late != std::vector{base::Rank(3), base::Rank(2)})
      base::fail<base::CheckError>("rank {} waits for {} ranks", rank, late.size());
    if (rank >= 2) ticket = comm.all_reduce(group, bytes_of(data), base::DType::f32);
    finish(comm, ticket);
    if (!comm.waiting_for(ticket).empty()) base::fail<base::CheckError>("waits for somebody after the end");
  }));
}

TEST(Threads, WaitingForNamesAPosterThatDoesNotPoll) {
  std::barrier posted(2);
  std::barrier looked(2);
  expect_no_errors(run_threads(2, [&](Communicator& comm) {
    const ChannelId channel = comm.open(channel_of({0, 1}, "message"));
    std::vector<float> data(100);
    const bool sends = comm.rank().value == 0;
    const Ticket ticket = sends ? comm.send(channel, bytes_of(data)) : comm.receive(channel, bytes_of(data));
    posted.arrive_and_wait();
    const auto late = comm.waiting_for(ticket);
    looked.arrive_and_wait();
    if (sends ? late != std::vector{base::Rank(1)} : !late.empty())
      base::fail<base::CheckError>("rank {} waits for {} ranks", comm.rank().value, late.size());
    finish(comm, ticket);
  }));
}

// A poll does a bounded piece of work; who then sleeps must not sleep over the rest.
TEST(Threads, AnUnfinishedPieceCountsAsAChange) {
  ThreadWorld world(1);
  const auto comm = world.join(base::Rank(0));
  const std::vector<std::byte> in(size_t{8} << 20, std::byte{5});
  std::vector<std::byte> out(in.size());
  const Ticket ticket = comm->all_gather(comm->open(channel_of({0}, "alone")), in, out);
  int polls = 1;
  for (uint32_t seen = comm->change_count(); !comm->poll(ticket); seen = comm->change_count(), ++polls)
    ASSERT_NE(comm->change_count(), seen);
  EXPECT_GT(polls, 1);
  EXPECT_EQ(out, in);
}

// Whatever a rank waits for, it does its share for the others.
TEST(Threads, APollWorksOnEveryOpenOperation) {
  expect_no_errors(run_threads(2, [](Communicator& comm) {
    const ChannelId first = comm.open(channel_of({0, 1}, "first"));
    const ChannelId second = comm.open(channel_of({0, 1}, "second"));
    std::vector<float> a(100);
    std::vector<float> b(100);
    const Ticket one = comm.all_reduce(first, bytes_of(a), base::DType::f32);
    if (comm.rank().value == 0)
      finish(comm, one);  // rank 1 asks only for the second, which rank 0 posts later
    const Ticket two = comm.all_reduce(second, bytes_of(b), base::DType::f32);
    finish_all(comm, two, one);
  }));
}

TEST(Threads, ACommunicatorMayOutliveItsWorld) {
  std::unique_ptr<Communicator> comm;
  {
    ThreadWorld world(1);
    EXPECT_EQ(world.ranks(), 1);
    comm = world.join(base::Rank(0));
  }
  std::vector<float> in{1, 2};
  std::vector<float> out(2);
  finish(*comm, comm->all_gather(comm->open(channel_of({0}, "alone")), bytes_of(in), bytes_of(out)));
  EXPECT_EQ(out, in);
}

}  // namespace
}  // namespace pleat::comm
