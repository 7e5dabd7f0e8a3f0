// SPDX-License-Identifier: Apache-2.0
// A rank that fails, leaves or disagrees ends the others with an error that says why; nobody waits for it in
// vain and nobody reads its buffers any more.
#include <atomic>
#include <chrono>

#include "harness.h"

namespace pleat::comm {
namespace {

void expect_says(const std::string& error, const std::vector<std::string>& words) {
  for (const std::string& word : words)
    EXPECT_NE(error.find(word), std::string::npos) << "\"" << word << "\" is not in: " << error;
}

constexpr int kRanks = 4;

/// Rank 2 throws; the others wait for it as `wait` says.
Errors with_a_throwing_rank(bool tell, const Body& wait) {
  return run_threads(
      kRanks,
      [&](Communicator& comm) {
        if (comm.rank().value == 2) {
          std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the others are asleep by now
          base::fail<base::DataError>("the file is torn");
        }
        wait(comm);
      },
      tell);
}

TEST(Failure, AThrowingRankEndsThoseThatPoll) {
  const Errors errors = with_a_throwing_rank(true, [](Communicator& comm) {
    std::vector<float> data(100);
    const ChannelId channel = comm.open(channel_of(everyone(kRanks), "sum"));
    finish(comm, comm.all_reduce(channel, bytes_of(data), base::DType::f32));
  });
  EXPECT_EQ(errors[2], "the file is torn");
  for (int rank : {0, 1, 3}) EXPECT_EQ(errors[rank], "rank 2 failed: the file is torn");
}

TEST(Failure, AThrowingRankWakesThoseThatSleep) {
  const auto start = std::chrono::steady_clock::now();
  const Errors errors = with_a_throwing_rank(true, [](Communicator& comm) {
    while (true) comm.wait_for_change(comm.change_count(), kHangMilliseconds);
  });
  // A second in practice; half of the sleep proves that they were woken.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(kHangMilliseconds / 2));
  for (int rank : {0, 1, 3}) EXPECT_EQ(errors[rank], "rank 2 failed: the file is torn");
}

TEST(Failure, ARankThatUnwindsWithoutAWordEndsTheOthers) {
  const Errors errors = with_a_throwing_rank(false, [](Communicator& comm) {
    std::vector<float> data(100);
    const ChannelId channel = comm.open(channel_of(everyone(kRanks), "sum"));
    finish(comm, comm.all_reduce(channel, bytes_of(data), base::DType::f32));
  });
  for (int rank : {0, 1, 3}) expect_says(errors[rank], {"rank 2", "exception"});
}

TEST(Failure, TheFirstReasonStays) {
  const Errors errors = run_threads(3, [](Communicator& comm) {
    const ChannelId channel = comm.open(channel_of(everyone(3), "sum"));
    std::vector<float> data(10);
    if (comm.rank().value == 0) {
      comm.fail("first");
      comm.fail("second");
    }
    finish(comm, comm.all_reduce(channel, bytes_of(data), base::DType::f32));
  });
  for (const std::string& error : errors) EXPECT_EQ(error, "rank 0 failed: first");
}

TEST(Failure, ARankThatLeftIsNamed) {
  const Errors errors = run_threads(3, [](Communicator& comm) {
    const ChannelId channel = comm.open(channel_of(everyone(3), "gradients"));
    std::vector<float> data(10);
    if (comm.rank().value != 1) finish(comm, comm.all_reduce(channel, bytes_of(data), base::DType::f32));
  });
  EXPECT_EQ(errors[1], "");
  for (int rank : {0, 2}) expect_says(errors[rank], {"\"gradients\"", "rank 1 has left"});
}

TEST(Failure, LeavingWithOpenOperationsIsAFailure) {
  const Errors errors = run_threads(2, [](Communicator& comm) {
    std::vector<float> data(10);
    if (comm.rank().value == 0)
      comm.send(comm.open(channel_of({0, 1}, "forward")), bytes_of(data));
    else
      while (true) comm.wait_for_change(comm.change_count(), kHangMilliseconds);
  });
  expect_says(errors[1], {"rank 0 failed", "\"forward\"", "before completion"});
}

TEST(Failure, LeavingWithoutAskingForWhatIsDoneIsNone) {
  std::vector<float> data(10);
  std::atomic<bool> received{false};
  expect_no_errors(run_threads(2, [&](Communicator& comm) {
    const ChannelId channel = comm.open(channel_of({0, 1}, "forward"));
    if (comm.rank().value == 0) {
      comm.send(channel, bytes_of(data));
      while (!received) std::this_thread::yield();
    } else {
      std::vector<float> in(10);
      finish(comm, comm.receive(channel, bytes_of(in)));
      received = true;
    }
  }));
}

// Under a sanitizer this is a use after free, if anybody still reads when rank 0's buffer goes.
TEST(Failure, NobodyReadsTheBuffersOfAFailedRank) {
  for (int round = 0; round < 12; ++round) {
    const Errors errors = run_threads(3, [&](Communicator& comm) {
      std::vector<std::byte> data(size_t{6} << 20);
      if (comm.rank().value == 0) {
        for (int to : {1, 2}) comm.send(comm.open(channel_of({0, to}, "data")), data);
        std::this_thread::sleep_for(std::chrono::microseconds(100 * round));
        comm.fail("on purpose");
        data = {};
        base::fail<base::CheckError>("on purpose");
      }
      finish(comm, comm.receive(comm.open(channel_of({0, comm.rank().value}, "data")), data));
      while (true) comm.wait_for_change(comm.change_count(), kHangMilliseconds);
    });
    for (int rank : {1, 2}) EXPECT_EQ(errors[rank], "rank 0 failed: on purpose");
  }
}

// --- members that disagree: an error on both that names the channel and both sides ---

void expect_disagreement(const Body& body, const std::vector<std::string>& words) {
  const Errors errors = run_threads(2, body);
  for (const std::string& error : errors) {
    expect_says(error, words);
    expect_says(error, {"\"disputed\"", "rank 0", "rank 1"});
  }
}

TEST(Disagreement, SizeOfAMessage) {
  for (bool sender_first : {true, false})
    expect_disagreement(
        [&](Communicator& comm) {
          std::vector<std::byte> data(16);
          const ChannelId channel = comm.open(channel_of({0, 1}, "disputed"));
          if ((comm.rank().value == 0) != sender_first)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
          if (comm.rank().value == 0)
            finish(comm, comm.send(channel, std::span(data).first(8)));
          else
            finish(comm, comm.receive(channel, std::span(data).first(12)));
        },
        {"send of 8 bytes", "receive of 12 bytes"});
}

TEST(Disagreement, SizeAndDTypeOfAReduction) {
  expect_disagreement(
      [](Communicator& comm) {
        std::vector<float> data(10);
        const ChannelId channel = comm.open(channel_of({0, 1}, "disputed"));
        const auto part = bytes_of(data).first(comm.rank().value == 0 ? 40 : 36);
        finish(comm, comm.all_reduce(channel, part, base::DType::f32));
      },
      {"all_reduce of 40 bytes f32", "all_reduce of 36 bytes f32"});
  expect_disagreement(
      [](Communicator& comm) {
        std::vector<float> data(10);
        const ChannelId channel = comm.open(channel_of({0, 1}, "disputed"));
        const auto dtype = comm.rank().value == 0 ? base::DType::f32 : base::DType::i32;
        finish(comm, comm.all_reduce(channel, bytes_of(data), dtype));
      },
      {"40 bytes f32", "40 bytes i32"});
}

TEST(Disagreement, SizeOfAGatherAndOfATurn) {
  expect_disagreement(
      [](Communicator& comm) {
        std::vector<std::byte> in(comm.rank().value == 0 ? 4 : 6);
        std::vector<std::byte> out(2 * in.size());
        finish(comm, comm.all_gather(comm.open(channel_of({0, 1}, "disputed")), in, out));
      },
      {"all_gather of 4 bytes", "all_gather of 6 bytes"});
  expect_disagreement(
      [](Communicator& comm) {
        std::vector<std::byte> in(comm.rank().value == 0 ? 4 : 6);
        std::vector<std::byte> out(in.size());
        finish(comm, comm.all_to_all(comm.open(channel_of({0, 1}, "disputed")), in, out));
      },
      {"all_to_all of 4 bytes", "all_to_all of 6 bytes"});
}

TEST(Disagreement, KindOfOperation) {
  expect_disagreement(
      [](Communicator& comm) {
        std::vector<std::byte> in(4);
        std::vector<std::byte> out(8);
        const ChannelId channel = comm.open(channel_of({0, 1}, "disputed"));
        if (comm.rank().value == 0)
          finish(comm, comm.all_gather(channel, in, out));
        else
          finish(comm, comm.all_reduce(channel, in, base::DType::f32));
      },
      {"all_gather of 4 bytes", "all_reduce of 4 bytes f32"});
}

Body exchange_of(std::vector<RowBlock> sends, std::vector<RowBlock> receives) {
  return [=](Communicator& comm) {
    std::vector<std::byte> in(80);
    std::vector<std::byte> out(80);
    const ChannelId channel = comm.open(channel_of({0, 1}, "disputed"));
    if (comm.rank().value == 0)
      finish(comm, comm.exchange(channel, in, out, 8, sends, {}));
    else
      finish(comm, comm.exchange(channel, in, out, 8, {}, receives));
  };
}

TEST(Disagreement, RowsOfAnExchange) {
  const RowBlock three{.member = 1, .row = 2, .rows = 3};
  const RowBlock four{.member = 0, .row = 1, .rows = 4};
  expect_disagreement(exchange_of({three}, {four}), {"sends 3 rows", "receives 4"});
  expect_disagreement(exchange_of({}, {four}), {"sends 0 rows", "receives 4"});
  expect_disagreement(exchange_of({three}, {}), {"sends 3 rows", "receives 0"});
}

TEST(Disagreement, BlocksOfAnExchange) {
  const auto to = [](int64_t row, int64_t rows) { return RowBlock{.member = 1, .row = row, .rows = rows}; };
  const auto from = [](int64_t row, int64_t rows) { return RowBlock{.member = 0, .row = row, .rows = rows}; };
  // The same number of rows in another order would go to the wrong expert.
  expect_disagreement(exchange_of({to(0, 2), to(2, 3)}, {from(0, 3), from(5, 2)}),
                      {"sends 5 rows", "receives 5"});
  // Empty blocks count for nothing.
  expect_no_errors(run_threads(2, exchange_of({to(0, 0), to(0, 2)}, {from(3, 2), from(7, 0)})));
}

}  // namespace
}  // namespace pleat::comm
