// SPDX-License-Identifier: Apache-2.0
// What every communicator must do, at group sizes 1, 2, 3 and 8. The fake one conforms only where nobody else
// is there.
#include <algorithm>
#include <ostream>

#include "harness.h"
#include "sums.h"

namespace pleat::comm {
namespace {

struct Case {
  std::string implementation;
  int ranks = 1;
};

void PrintTo(const Case& chosen, std::ostream* out) {
  *out << chosen.implementation << " " << chosen.ranks;
}

class Conformance : public testing::TestWithParam<Case> {
 protected:
  int ranks() const { return GetParam().ranks; }
  void run(const Body& body) const {
    const Errors errors =
        GetParam().implementation == "threads" ? run_threads(ranks(), body) : run_fake(ranks(), body);
    expect_no_errors(errors);
  }
};

INSTANTIATE_TEST_SUITE_P(Communicators, Conformance,
                         testing::Values(Case{"threads", 1}, Case{"threads", 2}, Case{"threads", 3},
                                         Case{"threads", 8}, Case{"fake", 1}),
                         [](const auto& chosen) {
                           return chosen.param.implementation + "_" + std::to_string(chosen.param.ranks);
                         });

// Empty; fewer than one share; not a multiple of a line; several pieces of a poll.
const std::vector<int64_t> kSizes{0, 1, 7, 100, 5'000, 300'001};

template <class Element>
void all_reduce_and_compare(Communicator& comm, const std::vector<int>& group, int64_t count) {
  const ChannelId channel = comm.open(channel_of(group, "sum"));
  auto data = elements<Element>(comm.rank().value, count, 1);
  finish(comm, comm.all_reduce(channel, bytes_of(data), dtype_of<Element>()));
  expect_bits(data, sums<Element>(group, 0, count, 1), fmt::format("all_reduce of {}", count));
}

TEST_P(Conformance, AllReduceIsTheDefinitionBitForBit) {
  run([&](Communicator& comm) {
    const auto group = everyone(comm.world());
    for (int64_t count : kSizes) all_reduce_and_compare<float>(comm, group, count);
    for (int64_t count : {3, 4'099}) {
      all_reduce_and_compare<double>(comm, group, count);
      all_reduce_and_compare<base::bf16>(comm, group, count);
      all_reduce_and_compare<int32_t>(comm, group, count);
      all_reduce_and_compare<int64_t>(comm, group, count);
    }
  });
}

TEST_P(Conformance, GroupOrderIsTheOrderOfTheSum) {
  run([&](Communicator& comm) {
    auto group = everyone(comm.world());
    std::reverse(group.begin(), group.end());
    all_reduce_and_compare<float>(comm, group, 3'000);
    if (group.size() < 3) return;  // two operands commute
    if (sums<float>(group, 0, 3'000, 1) == sums<float>(everyone(comm.world()), 0, 3'000, 1))
      base::fail<base::CheckError>("the test's data does not depend on the order");
  });
}

TEST_P(Conformance, NotANumberSurvivesAReduction) {
  run([&](Communicator& comm) {
    const ChannelId channel = comm.open(channel_of(everyone(comm.world()), "sum"));
    std::vector<base::bf16> data(40, base::bf16(1.0f));
    if (comm.rank().value == comm.world() - 1) data[17].bits = 0x7f81;
    finish(comm, comm.all_reduce(channel, bytes_of(data), base::DType::bf16));
    for (size_t i = 0; i < data.size(); ++i)
      if (std::isnan(static_cast<float>(data[i])) != (i == 17))
        base::fail<base::CheckError>("element {} is {}", i, static_cast<float>(data[i]));
  });
}

template <class Element>
void reduce_scatter_and_compare(Communicator& comm, int64_t part, bool in_place) {
  const auto group = everyone(comm.world());
  const int rank = comm.rank().value;
  const ChannelId channel = comm.open(channel_of(group, "scatter"));
  auto in = elements<Element>(rank, part * comm.world(), 2);
  std::vector<Element> own(static_cast<size_t>(part));
  const auto out =
      in_place ? bytes_of(in).subspan(rank * part * sizeof(Element), part * sizeof(Element)) : bytes_of(own);
  finish(comm, comm.reduce_scatter(channel, bytes_of(in), out, dtype_of<Element>()));
  if (part > 0) std::memcpy(own.data(), out.data(), in_place ? out.size() : 0);
  expect_bits(own, sums<Element>(group, rank * part, part, 2), fmt::format("reduce_scatter of {}", part));
}

TEST_P(Conformance, ReduceScatter) {
  run([&](Communicator& comm) {
    for (int64_t part : {0, 1, 13, 5'000, 150'000}) reduce_scatter_and_compare<float>(comm, part, false);
    reduce_scatter_and_compare<base::bf16>(comm, 1'001, false);
    reduce_scatter_and_compare<double>(comm, 1'001, true);
  });
}

TEST_P(Conformance, AllGather) {
  run([&](Communicator& comm) {
    const ChannelId channel = comm.open(channel_of(everyone(comm.world()), "gather"));
    for (int64_t part : {0, 1, 9, 40'000}) {
      const auto in = elements<int32_t>(comm.rank().value, part, 3);
      std::vector<int32_t> want;
      for (int rank = 0; rank < comm.world(); ++rank)
        for (int32_t x : elements<int32_t>(rank, part, 3)) want.push_back(x);
      std::vector<int32_t> out(want.size(), -1);
      finish(comm, comm.all_gather(channel, bytes_of(in), bytes_of(out)));
      expect_bits(out, want, "all_gather");

      std::vector<int32_t> in_place(want.size(), -1);
      std::copy(in.begin(), in.end(), in_place.begin() + comm.rank().value * part);
      const auto own = bytes_of(in_place).subspan(comm.rank().value * part * 4, part * 4);
      finish(comm, comm.all_gather(channel, own, bytes_of(in_place)));
      expect_bits(in_place, want, "all_gather in place");
    }
  });
}

TEST_P(Conformance, AllToAll) {
  run([&](Communicator& comm) {
    const ChannelId channel = comm.open(channel_of(everyone(comm.world()), "turn"));
    const int rank = comm.rank().value;
    for (int64_t part : {0, 1, 5, 30'000}) {
      const auto in = elements<int64_t>(rank, part * comm.world(), 4);
      std::vector<int64_t> want;
      for (int source = 0; source < comm.world(); ++source)
        for (int64_t i = 0; i < part; ++i) want.push_back(element_at<int64_t>(source, rank * part + i, 4));
      std::vector<int64_t> out(want.size(), -1);
      finish(comm, comm.all_to_all(channel, bytes_of(in), bytes_of(out)));
      expect_bits(out, want, "all_to_all");
    }
  });
}

/// Rows that `source` sends to `destination` for expert `e` of the destination; often none.
int64_t rows_of(int source, int destination, int e, int64_t scale) {
  const uint64_t bits = mixed(source + 1, destination + 1, e);
  return bits % 3 == 0 ? 0 : static_cast<int64_t>(bits % 11) * scale;
}

// Like the dispatch of experts: the source has its rows by (destination, expert), the destination by (expert,
// source), each expert's rows followed by some of padding that nobody may touch.
void exchange_and_compare(Communicator& comm, int64_t width, int64_t scale) {
  constexpr int kExperts = 3;
  constexpr int64_t kPadding = 2;
  const int ranks = comm.world();
  const int rank = comm.rank().value;
  const ChannelId channel = comm.open(channel_of(everyone(ranks), "dispatch"));
  const auto row_value = [&](int source, int destination, int e, int64_t i, int64_t column) {
    return static_cast<int32_t>(mixed(source * 100 + destination, e * 1000 + i, column));
  };
  std::vector<RowBlock> sends;
  std::vector<RowBlock> receives;
  std::vector<int32_t> in;
  std::vector<int32_t> want;
  for (int destination = 0; destination < ranks; ++destination)
    for (int e = 0; e < kExperts; ++e) {
      const int64_t rows = rows_of(rank, destination, e, scale);
      sends.push_back({.member = destination, .row = static_cast<int64_t>(in.size()) / width, .rows = rows});
      for (int64_t i = 0; i < rows * width; ++i)
        in.push_back(row_value(rank, destination, e, i / width, i % width));
    }
  for (int e = 0; e < kExperts; ++e) {
    for (int source = 0; source < ranks; ++source) {
      const int64_t rows = rows_of(source, rank, e, scale);
      receives.push_back({.member = source, .row = static_cast<int64_t>(want.size()) / width, .rows = rows});
      for (int64_t i = 0; i < rows * width; ++i)
        want.push_back(row_value(source, rank, e, i / width, i % width));
    }
    want.insert(want.end(), static_cast<size_t>(kPadding * width), -7);
  }
  std::vector<int32_t> out(want.size(), -7);
  const Ticket ticket = comm.exchange(channel, bytes_of(in), bytes_of(out), width * 4, sends, receives);
  sends.assign(sends.size(), {.member = -1, .row = -1, .rows = -1});  // read during the call only
  receives.clear();
  finish(comm, ticket);
  expect_bits(out, want, "exchange");
}

TEST_P(Conformance, ExchangeOfRaggedRows) {
  run([&](Communicator& comm) {
    exchange_and_compare(comm, 1, 1);
    exchange_and_compare(comm, 33, 1);
    exchange_and_compare(comm, 512, 40);  // several pieces
    exchange_and_compare(comm, 8, 0);     // nobody sends anything
  });
}

TEST_P(Conformance, ExchangeWithoutBlocks) {
  run([&](Communicator& comm) {
    const ChannelId channel = comm.open(channel_of(everyone(comm.world()), "dispatch"));
    finish(comm, comm.exchange(channel, {}, {}, 16, {}, {}));
  });
}

TEST_P(Conformance, MessagesAroundARing) {
  if (ranks() == 1) return;  // a message needs two ranks: see Misuse
  run([&](Communicator& comm) {
    const int rank = comm.rank().value;
    const int next = (rank + 1) % comm.world();
    const int last = (rank + comm.world() - 1) % comm.world();
    const ChannelId to = comm.open(channel_of({rank, next}, "ring"));
    const ChannelId from = comm.open(channel_of({last, rank}, "ring"));
    for (int64_t count : kSizes) {
      const auto out = elements<double>(rank, count, 5);
      std::vector<double> in(out.size());
      const Ticket sent = comm.send(to, bytes_of(out));
      finish_all(comm, comm.receive(from, bytes_of(in)), sent);
      expect_bits(in, elements<double>(last, count, 5), "message");
    }
  });
}

TEST_P(Conformance, ABufferMayBeUsedAgainOnceDone) {
  run([&](Communicator& comm) {
    const auto group = everyone(comm.world());
    const ChannelId channel = comm.open(channel_of(group, "again"));
    std::vector<int32_t> data(300);
    std::vector<int32_t> gathered(300 * comm.world());
    for (int step = 0; step < 100; ++step) {
      std::fill(data.begin(), data.end(), step + comm.rank().value);
      finish(comm, comm.all_gather(channel, bytes_of(data), bytes_of(gathered)));
      std::fill(data.begin(), data.end(), 1'000 * step + comm.rank().value);
      for (int rank = 0; rank < comm.world(); ++rank)
        if (gathered[rank * 300] != step + rank || gathered[rank * 300 + 299] != step + rank)
          base::fail<base::CheckError>("step {}: rank {}'s part is {}", step, rank, gathered[rank * 300]);
      finish(comm, comm.all_reduce(channel, bytes_of(data), base::DType::i32));
      const int want = 1'000 * step * comm.world() + comm.world() * (comm.world() - 1) / 2;
      if (data[0] != want || data[299] != want)
        base::fail<base::CheckError>("step {}: sum {}, expected {}", step, data[0], want);
    }
  });
}

TEST_P(Conformance, PostsOfOneChannelMatchInOrder) {
  run([&](Communicator& comm) {
    const auto group = everyone(comm.world());
    const ChannelId channel = comm.open(channel_of(group, "order"));
    std::vector<std::vector<float>> data;
    std::vector<Ticket> tickets;
    for (int i = 0; i < 20; ++i) data.push_back(elements<float>(comm.rank().value, 10 + i, i));
    for (auto& one : data) tickets.push_back(comm.all_reduce(channel, bytes_of(one), base::DType::f32));
    finish(comm, tickets.back());
    for (size_t i = 0; i < tickets.size(); ++i) {
      if (!comm.poll(tickets[i])) base::fail<base::CheckError>("the last is done before number {}", i);
      expect_bits(data[i], sums<float>(group, 0, 10 + static_cast<int64_t>(i), i), "in order");
    }
  });
}

TEST_P(Conformance, SeveralChannelsAtOnceInAnyOrderOfPosting) {
  run([&](Communicator& comm) {
    const auto group = everyone(comm.world());
    constexpr int kChannels = 6;
    std::vector<ChannelId> channels;
    for (int c = 0; c < kChannels; ++c)
      channels.push_back(comm.open(channel_of(group, fmt::format("channel {}", c))));
    for (int step = 0; step < 10; ++step) {
      std::vector<std::vector<float>> data(kChannels);
      std::vector<Ticket> tickets(kChannels);
      for (int i = 0; i < kChannels; ++i) {
        const int c = (i * 5 + comm.rank().value) % kChannels;  // each rank from another one on
        data[c] = elements<float>(comm.rank().value, 200, step * kChannels + c);
        tickets[c] = comm.all_reduce(channels[c], bytes_of(data[c]), base::DType::f32);
      }
      // Even ranks wait for the first, odd ones for the last: nobody may need the other's order.
      for (int i = 0; i < kChannels; ++i)
        finish(comm, tickets[comm.rank().value % 2 == 0 ? i : kChannels - 1 - i]);
      for (int c = 0; c < kChannels; ++c)
        expect_bits(data[c], sums<float>(group, 0, 200, step * kChannels + c), "one of several channels");
    }
  });
}

TEST_P(Conformance, GroupsThatShareRanks) {
  if (ranks() < 3) return;
  run([&](Communicator& comm) {
    std::vector<std::vector<int>> groups{everyone(comm.world()), everyone(comm.world()),
                                         everyone(comm.world())};
    groups[0].pop_back();
    groups[1].erase(groups[1].begin());
    std::vector<std::vector<float>> data(groups.size());
    std::vector<Ticket> tickets;
    for (size_t g = 0; g < groups.size(); ++g) {
      if (std::count(groups[g].begin(), groups[g].end(), comm.rank().value) == 0) continue;
      data[g] = elements<float>(comm.rank().value, 999, g);
      tickets.push_back(comm.all_reduce(comm.open(channel_of(groups[g], "same purpose")), bytes_of(data[g]),
                                        base::DType::f32));
    }
    for (auto ticket = tickets.rbegin(); ticket != tickets.rend(); ++ticket) finish(comm, *ticket);
    for (size_t g = 0; g < groups.size(); ++g)
      if (!data[g].empty()) expect_bits(data[g], sums<float>(groups[g], 0, 999, g), "shared ranks");
  });
}

TEST_P(Conformance, OpeningTwiceIsTheSameChannel) {
  run([&](Communicator& comm) {
    const ChannelId first = comm.open(channel_of(everyone(comm.world()), "twice"));
    comm.open(channel_of(everyone(comm.world()), "another"));
    if (comm.open(channel_of(everyone(comm.world()), "twice")) != first)
      base::fail<base::CheckError>("two ids for one channel");
  });
}

}  // namespace
}  // namespace pleat::comm
