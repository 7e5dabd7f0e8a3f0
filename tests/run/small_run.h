// SPDX-License-Identifier: Apache-2.0
// Runs a small Program on threads with made-up data and brings back every byte that matters.
#pragma once
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "run/crew.h"

namespace pleat::run {

using program::Order;

/// Fills the ports of a training or forward Program from the port's name, step and micro-batch; allocates
/// nothing.
class MadeUpData : public Ports {
 public:
  explicit MadeUpData(int64_t vocabulary = 32, int64_t sequence = 4)
      : vocabulary_(vocabulary), sequence_(sequence) {}
  void fill(std::string_view port, int64_t step, int micro_batch, std::span<std::byte> bytes) override;
  void take(std::string_view port, int64_t step, int micro_batch, std::span<const std::byte> bytes) override;

 private:
  int64_t vocabulary_, sequence_;
};

/// Masters small and random by slot and element, moments zero.
void fill_state(const program::Program& program, base::Rank id, Rank& rank);

/// State after the run and all that went out on the way, by rank.
struct Outcome {
  std::vector<std::map<std::string, std::vector<std::byte>>> ranks;
  bool operator==(const Outcome&) const = default;
};

Outcome outcome_of(const program::Program& program, int64_t steps, const Options& options);

/// The first thing that differs, for people; empty when nothing does.
std::string difference(const Outcome& a, const Outcome& b);

}  // namespace pleat::run
