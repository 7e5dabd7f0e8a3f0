// SPDX-License-Identifier: Apache-2.0
// The step loop: heads of lanes run as their events let them; with nothing to run the rank sleeps until
// another rank has done something.
#include "run/executor.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/errors.h"
#include "run/place.h"

namespace pleat::run {
namespace {

// A lost change could cost no more than this, and a stall is noticed so much later at most.
constexpr int kSleepMilliseconds = 100;

std::vector<Lane> lanes_of(const BoundList& bound, program::Order order) {
  std::vector<Lane> lanes;
  if (order == program::Order::in_order) {
    lanes.push_back({.name = "inline", .items = std::vector<int>(bound.items.size())});
    std::iota(lanes[0].items.begin(), lanes[0].items.end(), 0);
    return lanes;
  }
  // Transfers and the host before compute: what is posted early arrives early.
  for (int q = program::kQueues - 1; q >= 0; --q) {
    const auto queue = static_cast<program::Queue>(q);
    if (!bound.queues[q].empty())
      lanes.push_back({.name = program::name_of(queue),
                       .items = bound.queues[q],
                       .ahead = queue != program::Queue::compute});
  }
  return lanes;
}

tensor::Arena arena_of(const program::Program& program, base::Rank rank) {
  try {
    return tensor::Arena(program.arena_bytes(program.list_of(rank)));
  } catch (const base::JobError& error) {
    base::fail<base::JobError>("rank {}: {}", rank.value, error.what());
  }
}

}  // namespace

Rank::Implementation::Implementation(const program::Program& p, base::Rank r, comm::Communicator& c,
                                     Ports& io, Options o)
    : program(p),
      rank(r),
      communicator(c),
      ports(io),
      options(std::move(o)),
      arena(arena_of(p, r)),
      team(p.threads),
      bound(bind_list(p, r, arena, c, team.size())),
      watch(p, r, bound, arena),
      fired(static_cast<size_t>(bound.events), 0),
      lanes(lanes_of(bound, options.order)),
      order(lanes.size()) {
  check_clock();
  std::iota(order.begin(), order.end(), 0);
  for (const Item& item : bound.items) {
    const size_t blocks = static_cast<size_t>(item.exchange.experts * item.exchange.members);
    sends.reserve(blocks);
    receives.reserve(blocks);
  }
}

void Rank::Implementation::check_clock() const {
  if (!options.clock && (options.stall_seconds > 0 || options.times))
    base::fail<base::CheckError>("run: stall_seconds and times need a clock");
}

bool Rank::Implementation::ready(const Item& item, int64_t turn) const {
  return std::all_of(item.waits.begin(), item.waits.end(),
                     [&](const program::Wait& wait) { return fired[wait.event] >= turn + 1 - wait.lag; });
}

/// One step of a lane's head: poll it, or start it when its events have fired. True when something moved.
bool Rank::Implementation::advance(Lane& lane) {
  if (lane.turn == steps) return false;
  const Item& item = head(lane);
  try {
    if (!lane.posted) {
      if (!ready(item, lane.turn)) return false;
      lane.began = options.times ? now() : 0;
      watch.before(item);
      lane.posted = !start(item, lane.turn, lane.ticket);
    }
    if (lane.posted && !communicator.poll(lane.ticket)) return false;
    lane.posted = false;
    watch.after(item);
    if (item.fires >= 0) ++fired[item.fires];
    if (options.times) options.times(rank, item.instance, item.index, lane.began, now());
  } catch (const std::exception& error) {
    rethrow_at(describe(item), error);
  }
  if (++lane.next == lane.items.size()) lane.next = 0, ++lane.turn;
  return true;
}

void Rank::Implementation::shuffle_lanes() {
  for (size_t i = order.size(); i > 1; --i) {
    shuffle = shuffle * 6364136223846793005u + 1442695040888963407u;
    std::swap(order[i - 1], order[(shuffle >> 33) % i]);
  }
}

/// Transfers and the host as far as they go, then one step of compute; `open`: some lane has work left.
bool Rank::Implementation::try_lanes(bool& open) {
  const bool shuffled = options.shuffle_seed != 0;
  if (shuffled) shuffle_lanes();
  bool moved = false;
  for (int n : order) {
    while (advance(lanes[n])) {
      moved = true;
      if (shuffled || !lanes[n].ahead) break;
    }
    open = open || lanes[n].turn < steps;
    if (moved && shuffled) break;  // choose anew after every instruction
  }
  return moved;
}

void Rank::Implementation::sleep(uint32_t seen) {
  try {
    communicator.wait_for_change(seen, kSleepMilliseconds);
  } catch (const std::exception& error) {
    rethrow_at(describe(*waiting_item()), error);
  }
}

void Rank::Implementation::run(int64_t count) {
  if (bound.items.empty()) return;
  steps = count;
  shuffle = options.shuffle_seed + static_cast<uint64_t>(rank.value) * 0x9e3779b97f4a7c15u;
  std::fill(fired.begin(), fired.end(), 0);
  for (Lane& lane : lanes) lane.next = 0, lane.turn = 0, lane.posted = false;
  double last_progress = now();
  while (true) {
    const uint32_t seen = communicator.change_count();
    bool open = false;
    if (try_lanes(open)) {
      last_progress = now();
      continue;
    }
    if (!open) return;
    sleep(seen);
    if (options.stall_seconds > 0 && now() - last_progress > options.stall_seconds)
      fail_stalled(last_progress);
  }
}

Rank::Rank(const program::Program& program, base::Rank rank, comm::Communicator& communicator, Ports& ports,
           Options options)
    : implementation_(
          std::make_unique<Implementation>(program, rank, communicator, ports, std::move(options))) {}
Rank::~Rank() = default;

void Rank::run(int64_t steps) {
  implementation_->run(steps);
}

void Rank::tell_times(Times times) {
  implementation_->options.times = std::move(times);
  implementation_->check_clock();
}

std::span<std::byte> Rank::bytes(const program::Region& region) {
  const auto areas = program::area_offsets(implementation_->program.list_of(implementation_->rank));
  const std::span<std::byte> bytes =
      implementation_->arena.bytes(areas[static_cast<int>(region.area)] + region.offset, region.type.bytes());
  implementation_->watch.reveal(bytes);
  return bytes;
}

std::span<std::byte> Rank::state(const program::StateSlot& slot) {
  return bytes(slot.region);
}

int64_t Rank::arena_bytes() const {
  return implementation_->arena.size();
}

int64_t Rank::highest_touched() const {
  return implementation_->arena.highest_touched();
}

int64_t Rank::highest_touched(program::Area area) const {
  const program::RankList& list = implementation_->program.list_of(implementation_->rank);
  const int64_t begin = program::area_offsets(list)[static_cast<int>(area)];
  return implementation_->arena.highest_touched(begin, list.area_bytes[static_cast<int>(area)]);
}

}  // namespace pleat::run
