// SPDX-License-Identifier: Apache-2.0
// Posts that one rank alone can see to be wrong are refused where they are made, by every communicator in the
// same words.
#include "harness.h"

namespace pleat::comm {
namespace {

/// Rank 0 of `world`, over both implementations; expects an error with `words`.
template <class Error>
void expect_refused(int world, const Body& body, const std::string& words) {
  ThreadWorld threads(world);
  const auto real = threads.join(base::Rank(0));
  FakeCommunicator fake(base::Rank(0), world);
  for (Communicator* comm : {real.get(), static_cast<Communicator*>(&fake)}) {
    try {
      body(*comm);
      ADD_FAILURE() << "not refused; expected: " << words;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  }
}

constexpr auto refused = expect_refused<base::CommError>;

TEST(Misuse, Channels) {
  refused(
      2, [](Communicator& comm) { comm.open(channel_of({0, 2}, "c")); }, "rank 2 is not in the world of 2");
  refused(3, [](Communicator& comm) { comm.open(channel_of({1, 2}, "c")); }, "not a member");
  refused(2, [](Communicator& comm) { comm.open(channel_of({0, 0}, "c")); }, "named twice");
  expect_refused<base::CheckError>(2, [](Communicator& comm) { comm.send(0, {}); }, "opened 0 channels");
}

TEST(Misuse, Sides) {
  refused(
      2, [](Communicator& comm) { comm.receive(comm.open(channel_of({0, 1}, "c")), {}); },
      "the first member sends, the second receives");
  refused(2, [](Communicator& comm) { comm.send(comm.open(channel_of({1, 0}, "c")), {}); }, "posted send");
  refused(
      1, [](Communicator& comm) { comm.send(comm.open(channel_of({0}, "c")), {}); },
      "needs a channel of two ranks");
}

TEST(Misuse, Sizes) {
  std::vector<std::byte> data(64);
  const auto first = [&](size_t n) { return std::span(data).first(n); };
  const auto channel = [](Communicator& comm) { return comm.open(channel_of({0, 1}, "c")); };
  const auto f32 = base::DType::f32;
  refused(2, [&](Communicator& c) { c.all_gather(channel(c), first(8), first(15)); }, "expected 8 to 16");
  refused(
      2, [&](Communicator& c) { c.reduce_scatter(channel(c), first(8), first(8), f32); }, "expected 16 to 8");
  refused(2, [&](Communicator& c) { c.all_to_all(channel(c), first(7), first(7)); }, "expected 6 to 7");
  refused(2, [&](Communicator& c) { c.all_reduce(channel(c), first(7), f32); }, "not whole");
  refused(2, [&](Communicator& c) { c.all_reduce(channel(c), first(9).subspan(1), f32); }, "not aligned");
}

TEST(Misuse, Blocks) {
  std::vector<std::byte> data(64);
  const auto exchange = [&](RowBlock send, RowBlock receive, int64_t row_bytes) {
    return [&data, send, receive, row_bytes](Communicator& comm) {
      comm.exchange(comm.open(channel_of({0, 1}, "c")), data, data, row_bytes, {&send, 1}, {&receive, 1});
    };
  };
  refused(2, exchange({}, {}, 0), "at least 1");
  refused(2, exchange({.member = 2}, {}, 8), "member 2 of a group of 2");
  refused(2, exchange({}, {.member = -1}, 8), "receive block 0: member -1");
  refused(2, exchange({.member = 0, .row = 6, .rows = 3}, {}, 8), "3 rows from row 6 of a buffer of 8 rows");
  refused(2, exchange({}, {.member = 0, .row = -1, .rows = 1}, 8), "1 rows from row -1");
  refused(2, exchange({}, {.member = 0, .row = 0, .rows = -1}, 8), "-1 rows");
}

TEST(Misuse, Tickets) {
  for (Ticket ticket : {Ticket{-1}, Ticket{0}, Ticket{1} << 50})
    expect_refused<base::CheckError>(1, [&](Communicator& comm) { comm.poll(ticket); }, "never given");
}

TEST(Misuse, Joining) {
  EXPECT_THROW(ThreadWorld(0), base::CommError);
  ThreadWorld world(2);
  EXPECT_THROW(world.join(base::Rank(2)), base::CommError);
  EXPECT_THROW(world.join(base::Rank()), base::CommError);
  const auto first = world.join(base::Rank(0));
  EXPECT_THROW(world.join(base::Rank(0)), base::CommError);
  EXPECT_THROW(FakeCommunicator(base::Rank(4), 4), base::CommError);
}

}  // namespace
}  // namespace pleat::comm
