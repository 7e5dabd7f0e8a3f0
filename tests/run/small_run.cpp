// SPDX-License-Identifier: Apache-2.0
#include "small_run.h"

#include <algorithm>
#include <cstring>

#include "base/dtype.h"
#include "base/errors.h"
#include "base/philox.h"

namespace pleat::run {
namespace {

template <class T>
void put(std::span<std::byte> bytes, size_t i, T value) {
  std::memcpy(bytes.data() + i * sizeof(T), &value, sizeof(T));
}

/// Also remembers what goes out.
class Recorder final : public MadeUpData {
 public:
  explicit Recorder(std::map<std::string, std::vector<std::byte>>& record) : record_(record) {}
  void take(std::string_view port, int64_t step, int micro_batch, std::span<const std::byte> bytes) override {
    record_[fmt::format("{} of step {}, micro-batch {}", port, step, micro_batch)].assign(bytes.begin(),
                                                                                          bytes.end());
  }

 private:
  std::map<std::string, std::vector<std::byte>>& record_;
};

}  // namespace

void MadeUpData::fill(std::string_view port, int64_t step, int micro_batch, std::span<std::byte> bytes) {
  if (port == "scalars") {
    put(bytes, 0, 0.01);
    put(bytes, 1, static_cast<double>(step + 1));
    for (size_t i = 2; i < bytes.size() / sizeof(double); ++i) put(bytes, i, 0.0);
    return;
  }
  const bool real = port.starts_with("seed.") || port == "loss_weights";
  const base::RandomStream random(static_cast<uint64_t>(micro_batch + 1));
  for (size_t i = 0; i < bytes.size() / sizeof(float); ++i) {
    const auto index = static_cast<int64_t>(i);
    const int64_t token = static_cast<int64_t>(random.bits(i, static_cast<uint64_t>(step)) %
                                               static_cast<uint64_t>(vocabulary_));
    if (real)
      put(bytes, i, port == "seed.loss" ? 1.0f / 64 : 1.0f);
    else
      put(bytes, i,
          static_cast<int32_t>(port == "positions"   ? index % sequence_
                               : port == "documents" ? 0
                                                     : token));
  }
}

void MadeUpData::take(std::string_view, int64_t, int, std::span<const std::byte>) {}

void fill_state(const program::Program& program, base::Rank id, Rank& rank) {
  for (const program::StateSlot& slot : program.state) {
    if (slot.stage != program.layout.stage_of(id).value) continue;
    const std::span<std::byte> bytes = rank.state(slot);
    std::fill(bytes.begin(), bytes.end(), std::byte{0});
    if (slot.role != program::Role::master) continue;
    const base::RandomStream random(7, slot.name, "state");
    for (size_t i = 0; i < bytes.size() / sizeof(float); ++i)
      put(bytes, i, static_cast<float>(0.3 * random.normal(i)));
  }
}

Outcome outcome_of(const program::Program& program, int64_t steps, const Options& options) {
  Outcome outcome;
  outcome.ranks.resize(static_cast<size_t>(program.layout.world()));
  Crew crew(
      program,
      [&](base::Rank id) { return std::make_unique<Recorder>(outcome.ranks[static_cast<size_t>(id.value)]); },
      options);
  crew.each([&](base::Rank id, Rank& rank) { fill_state(program, id, rank); });
  crew.run(steps);
  crew.each([&](base::Rank id, Rank& rank) {
    for (const program::StateSlot& slot : program.state) {
      if (slot.stage != program.layout.stage_of(id).value) continue;
      const std::span<std::byte> bytes = rank.state(slot);
      outcome
          .ranks[static_cast<size_t>(id.value)]
                [fmt::format("state {} {}", slot.name, static_cast<int>(slot.role))]
          .assign(bytes.begin(), bytes.end());
    }
  });
  return outcome;
}

std::string difference(const Outcome& a, const Outcome& b) {
  for (size_t rank = 0; rank < std::max(a.ranks.size(), b.ranks.size()); ++rank) {
    if (rank >= a.ranks.size() || rank >= b.ranks.size()) return "another number of ranks";
    for (const auto& [name, bytes] : a.ranks[rank]) {
      const auto other = b.ranks[rank].find(name);
      if (other == b.ranks[rank].end()) return fmt::format("rank {}: {} in one only", rank, name);
      if (other->second != bytes) return fmt::format("rank {}: {}", rank, name);
    }
    if (a.ranks[rank].size() != b.ranks[rank].size()) return fmt::format("rank {}: more in one", rank);
  }
  return {};
}

}  // namespace pleat::run
