// SPDX-License-Identifier: Apache-2.0
// Runs one function per rank on an implementation of Communicator and brings back what each of them threw.
#pragma once
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "comm/communicator.h"
#include "comm/fake/fake.h"
#include "comm/threads/world.h"

namespace pleat::comm {

using Ticket = Communicator::Ticket;
using ChannelId = Communicator::ChannelId;
using Body = std::function<void(Communicator&)>;

/// What ended each rank; empty for a rank that returned.
using Errors = std::vector<std::string>;

// Long enough that only a lost wake-up or a deadlock reaches it, also under sanitizers on a busy machine.
inline constexpr int kHangMilliseconds = 60'000;

/// `tell` is what a good caller does with an exception; without it only the communicator's end says so.
inline Errors run_threads(int ranks, const Body& body, bool tell = true) {
  ThreadWorld world(ranks);
  Errors errors(static_cast<size_t>(ranks));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank)
    threads.emplace_back([&, rank] {
      try {
        const auto comm = world.join(base::Rank(rank));
        try {
          body(*comm);
        } catch (const std::exception& error) {
          if (tell) comm->fail(error.what());
          throw;
        }
      } catch (const std::exception& error) {
        errors[rank] = error.what();
      }
    });
  for (std::thread& thread : threads) thread.join();
  return errors;
}

/// For a world of one only.
inline Errors run_fake(int ranks, const Body& body) {
  FakeCommunicator comm(base::Rank(0), ranks);
  try {
    body(comm);
  } catch (const std::exception& error) {
    return {error.what()};
  }
  return {""};
}

inline void expect_no_errors(const Errors& errors) {
  for (size_t rank = 0; rank < errors.size(); ++rank) EXPECT_EQ(errors[rank], "") << "rank " << rank;
}

/// A sleep that must be ended by a change: one that lasts its whole time is a lost wake-up or a deadlock.
inline void sleep_until_change(Communicator& comm, uint32_t seen) {
  const auto start = std::chrono::steady_clock::now();
  comm.wait_for_change(seen, kHangMilliseconds);
  if (std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(kHangMilliseconds))
    base::fail<base::CheckError>("rank {} was not woken", comm.rank().value);
}

inline void finish(Communicator& comm, Ticket ticket) {
  while (true) {
    const uint32_t seen = comm.change_count();
    if (comm.poll(ticket)) return;
    sleep_until_change(comm, seen);
  }
}

template <class... Tickets>
void finish_all(Communicator& comm, Tickets... tickets) {
  (finish(comm, tickets), ...);
}

template <class Element>
std::span<std::byte> bytes_of(std::vector<Element>& data) {
  return std::as_writable_bytes(std::span(data));
}
template <class Element>
std::span<const std::byte> bytes_of(const std::vector<Element>& data) {
  return std::as_bytes(std::span(data));
}

inline Channel channel_of(std::vector<int> ranks, std::string purpose) {
  Channel channel{.members = {}, .purpose = std::move(purpose)};
  for (int rank : ranks) channel.members.emplace_back(rank);
  return channel;
}

inline std::vector<int> everyone(int ranks) {
  std::vector<int> all;
  for (int rank = 0; rank < ranks; ++rank) all.push_back(rank);
  return all;
}

/// A number that depends on all three, well mixed (splitmix64).
inline uint64_t mixed(uint64_t a, uint64_t b, uint64_t c = 0) {
  uint64_t z =
      (a * 0x9e3779b97f4a7c15u) ^ (b * 0xd1342543de82ef95u + 0x2545f4914f6cdd1du) ^ (c * 0x8cb92ba72f3d8dd7u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace pleat::comm
