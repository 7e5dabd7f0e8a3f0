// SPDX-License-Identifier: Apache-2.0
#include "simulate/machine.h"

#include <algorithm>
#include <cmath>

namespace pleat::simulate {

Machine::Machine(const target::Target& target, std::vector<int64_t> ranks)
    : cores_(target.cores), bytes_per_ns_(target.memory_bandwidth * 1e-9), ranks_(std::move(ranks)) {}

void Machine::start(int walker, const Work& work, int64_t now) {
  const auto place =
      std::find_if(jobs_.begin(), jobs_.end(), [&](const Job& job) { return job.walker > walker; });
  jobs_.insert(place, {walker, work, static_cast<double>(work.ns), now, 0, kNever});
  stale_ = true;
}

int64_t Machine::next_end(int64_t now) {
  if (stale_) share(now);
  int64_t next = kNever;
  for (const Job& job : jobs_) next = std::min(next, job.end);
  return next;
}

std::vector<int> Machine::take_ended(int64_t now) {
  std::vector<int> walkers;
  for (const Job& job : jobs_)
    if (job.end <= now) walkers.push_back(job.walker);
  if (!walkers.empty()) stale_ = true;
  std::erase_if(jobs_, [now](const Job& job) { return job.end <= now; });
  return walkers;
}

void Machine::share(int64_t now) {
  stale_ = false;
  double threads = 0, traffic = 0;
  for (const Job& job : jobs_) threads += static_cast<double>(ranks_[job.walker] * job.work.threads);
  const double core_share = threads <= cores_ ? 1.0 : cores_ / threads;
  for (const Job& job : jobs_) traffic += static_cast<double>(ranks_[job.walker]) * job.work.bytes_per_ns;
  constexpr double kTolerance = 1 + 1e-6;  // a job alone asks for all there is, but for rounding
  const bool enough_memory = traffic * core_share <= bytes_per_ns_ * kTolerance;
  const double level = enough_memory ? 0 : memory_level(core_share);
  for (Job& job : jobs_) {
    const bool held_up = !enough_memory && job.work.bytes_per_ns * core_share > level;
    set_rate(job, held_up ? level / job.work.bytes_per_ns : core_share, now);
  }
}

void Machine::set_rate(Job& job, double rate, int64_t now) const {
  if (rate == job.rate) return;  // keeps the end as it is: no rounding where nothing changed
  job.remaining_ns = std::max(0.0, job.remaining_ns - static_cast<double>(now - job.since) * job.rate);
  job.since = now;
  job.rate = rate;
  constexpr double kRounding = 1e-6;  // ns; far above the rounding of the divisions, far below a nanosecond
  job.end = now + static_cast<int64_t>(std::ceil(job.remaining_ns / rate - kRounding));
}

/// The most that one rank may have so that all together have what there is.
double Machine::memory_level(double core_share) const {
  std::vector<std::pair<double, double>> asked;  // bytes/ns of one rank, ranks
  double ranks = 0;
  for (const Job& job : jobs_) {
    asked.emplace_back(job.work.bytes_per_ns * core_share, static_cast<double>(ranks_[job.walker]));
    ranks += asked.back().second;
  }
  std::sort(asked.begin(), asked.end());
  double left = bytes_per_ns_;
  for (const auto& [bytes, count] : asked) {
    if (bytes * ranks > left) break;
    left -= bytes * count;
    ranks -= count;
  }
  return left / ranks;
}

}  // namespace pleat::simulate
