// SPDX-License-Identifier: Apache-2.0
// Ranks out of step: long queues of small messages, and random programs over many channels in random
// interleavings.
#include <algorithm>
#include <memory>
#include <random>

#include "harness.h"
#include "sums.h"

namespace pleat::comm {
namespace {

/// Now and then a rank is slow.
void dawdle(std::mt19937_64& random) {
  const uint64_t dice = random() % 64;
  if (dice < 4) std::this_thread::yield();
  if (dice == 4) std::this_thread::sleep_for(std::chrono::microseconds(50));
}

TEST(Stress, ManySmallMessagesOutOfStep) {
  constexpr int kMessages = 5'000;
  constexpr int kLength = 16;
  expect_no_errors(run_threads(2, [](Communicator& comm) {
    const bool sends = comm.rank().value == 0;
    const ChannelId channel = comm.open(channel_of({0, 1}, "small"));
    const int window = sends ? 50 : 7;
    std::mt19937_64 random(comm.rank().value);
    std::vector<std::vector<uint64_t>> buffers(window, std::vector<uint64_t>(kLength));
    std::vector<Ticket> tickets(window, -1);
    for (int i = 0; i < kMessages + window; ++i) {
      auto& buffer = buffers[i % window];
      if (i >= window) finish(comm, tickets[i % window]);
      const uint64_t old = i - window;
      if (!sends && i >= window &&
          (buffer[0] != mixed(old, 0) || buffer[old % kLength] != mixed(old, old % kLength)))
        base::fail<base::CheckError>("message {} is not what was sent", old);
      if (i >= kMessages) continue;
      const size_t bytes = (i % kLength + 1) * sizeof(uint64_t);
      if (sends)
        for (int j = 0; j < kLength; ++j) buffer[j] = mixed(i, j);
      tickets[i % window] = sends ? comm.send(channel, bytes_of(buffer).first(bytes))
                                  : comm.receive(channel, bytes_of(buffer).first(bytes));
      dawdle(random);
    }
  }));
}

// --- random programs ---

struct Step {
  Kind kind = Kind::send;
  int64_t count = 0;
  uint64_t seed = 0;
};

/// What happens on one channel, in order; the same on all ranks.
struct Lane {
  std::vector<int> ranks;
  std::string purpose;
  std::vector<Step> steps;
};

std::vector<Lane> random_lanes(int ranks, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Lane> lanes;
  for (int l = 0; l < 8; ++l) {
    std::vector<int> members = everyone(ranks);
    std::shuffle(members.begin(), members.end(), random);
    const bool message = random() % 2 == 0;
    members.resize(message ? 2 : 1 + random() % ranks);
    Lane lane{.ranks = members, .purpose = fmt::format("lane {}", l), .steps = {}};
    for (uint64_t s = 0; s < 20; ++s) {
      constexpr Kind kGroupKinds[] = {Kind::all_reduce, Kind::all_gather, Kind::all_to_all,
                                      Kind::reduce_scatter};
      lane.steps.push_back(
          {.kind = message ? Kind::send : kGroupKinds[random() % 4],
           .count = static_cast<int64_t>(random() % 8 == 0 ? random() % 20'000 : random() % 50),
           .seed = random()});
    }
    lanes.push_back(lane);
  }
  return lanes;
}

/// One rank's side of one step: its buffers until it is done, and what they must hold then.
struct Flight {
  Ticket ticket = -1;
  std::vector<float> in;
  std::vector<float> out;
  std::vector<float> want;
};

std::unique_ptr<Flight> post(Communicator& comm, ChannelId channel, const Lane& lane, const Step& step) {
  const int rank = comm.rank().value;
  const auto members = static_cast<int64_t>(lane.ranks.size());
  const auto position = std::find(lane.ranks.begin(), lane.ranks.end(), rank) - lane.ranks.begin();
  const bool parted = step.kind == Kind::all_to_all || step.kind == Kind::reduce_scatter;
  auto flight = std::make_unique<Flight>();
  flight->in = elements<float>(rank, parted ? step.count * members : step.count, step.seed);
  auto& [ticket, in, out, want] = *flight;
  switch (step.kind) {
    case Kind::all_reduce:
      want = sums<float>(lane.ranks, 0, step.count, step.seed);
      out = in;
      ticket = comm.all_reduce(channel, bytes_of(out), base::DType::f32);
      break;
    case Kind::reduce_scatter:
      want = sums<float>(lane.ranks, position * step.count, step.count, step.seed);
      out.resize(want.size());
      ticket = comm.reduce_scatter(channel, bytes_of(in), bytes_of(out), base::DType::f32);
      break;
    case Kind::all_gather:
    case Kind::all_to_all:
      for (int source : lane.ranks)
        for (int64_t i = 0; i < step.count; ++i)
          want.push_back(element_at<float>(source, parted ? position * step.count + i : i, step.seed));
      out.resize(want.size());
      ticket = parted ? comm.all_to_all(channel, bytes_of(in), bytes_of(out))
                      : comm.all_gather(channel, bytes_of(in), bytes_of(out));
      break;
    default:
      if (position == 0) {
        ticket = comm.send(channel, bytes_of(in));
      } else {
        want = elements<float>(lane.ranks[0], step.count, step.seed);
        out.resize(want.size());
        ticket = comm.receive(channel, bytes_of(out));
      }
  }
  return flight;
}

struct Road {
  const Lane* lane = nullptr;
  ChannelId channel = 0;
  size_t next = 0;
  std::vector<std::unique_ptr<Flight>> flying;
};

/// Posts and polls in an order of this rank's own; sleeps only when nothing can be posted and no poll says
/// done.
void travel(Communicator& comm, std::vector<Road>& roads, std::mt19937_64& random) {
  constexpr size_t kFlying = 4;
  while (true) {
    const uint32_t seen = comm.change_count();
    bool open = false;
    bool changed = false;
    std::shuffle(roads.begin(), roads.end(), random);
    for (Road& road : roads) {
      if (road.next < road.lane->steps.size() && road.flying.size() < kFlying && random() % 2 == 0) {
        road.flying.push_back(post(comm, road.channel, *road.lane, road.lane->steps[road.next++]));
        changed = true;
      }
      if (!road.flying.empty() && comm.poll(road.flying.front()->ticket)) {
        expect_bits(road.flying.front()->out, road.flying.front()->want, road.lane->purpose);
        road.flying.erase(road.flying.begin());
        changed = true;
      }
      const bool postable = road.next < road.lane->steps.size() && road.flying.size() < kFlying;
      changed |= postable;
      open |= postable || !road.flying.empty();
      dawdle(random);
    }
    if (!open) return;
    if (changed) continue;
    sleep_until_change(comm, seen);
  }
}

TEST(Stress, RandomProgramsInRandomInterleavings) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const int ranks = 2 + static_cast<int>(seed % 4);
    const std::vector<Lane> lanes = random_lanes(ranks, seed);
    const Errors errors = run_threads(ranks, [&](Communicator& comm) {
      std::vector<Road> roads;
      for (const Lane& lane : lanes)
        if (std::count(lane.ranks.begin(), lane.ranks.end(), comm.rank().value) > 0) {
          Road& road = roads.emplace_back();
          road.lane = &lane;
          road.channel = comm.open(channel_of(lane.ranks, lane.purpose));
        }
      std::mt19937_64 random(mixed(seed, comm.rank().value));
      travel(comm, roads, random);
    });
    SCOPED_TRACE(seed);
    expect_no_errors(errors);
  }
}

}  // namespace
}  // namespace pleat::comm
