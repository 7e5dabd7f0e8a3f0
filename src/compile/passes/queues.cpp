// SPDX-License-Identifier: Apache-2.0
// queues: events where work on one queue must wait for work on another. Inside a segment instruction by
// instruction, by the bytes they touch; between instances by area and frame, over two turns of the loop, so
// that a wait on the turn before is found as well. A wait that an earlier wait implies is left out.
#include <algorithm>
#include <map>

#include "compile/draft.h"

namespace pleat::compile {
namespace {

using program::Effect;
using program::Instance;
using program::Instruction;
using program::kQueues;
using program::Program;
using program::RankList;
using program::Segment;

bool conflict(const Effect& a, const Effect& b) {
  if (a.kind == Effect::Kind::read && b.kind == Effect::Kind::read) return false;
  return a.region.area == b.region.area && a.region.offset < b.region.end() &&
         b.region.offset < a.region.end();
}

bool conflict(const std::vector<Effect>& a, const std::vector<Effect>& b) {
  return std::any_of(a.begin(), a.end(), [&](const Effect& x) {
    return std::any_of(b.begin(), b.end(), [&](const Effect& y) { return conflict(x, y); });
  });
}

using PerQueue = std::array<int, kQueues>;

/// Waits inside a segment, as instruction numbers; turned into events once all are known.
struct LocalWaits {
  std::vector<std::vector<int>> of_instruction;
  std::array<PerQueue, kQueues>
      reached{};  // the last instruction of queue p that queue q has waited for; -1: none
};

LocalWaits local_waits(const Segment& segment) {
  LocalWaits waits;
  for (PerQueue& row : waits.reached) row.fill(-1);
  std::vector<std::vector<Effect>> all;
  std::array<std::vector<int>, kQueues> on_queue;
  for (size_t j = 0; j < segment.instructions.size(); ++j) {
    const Instruction& mine = segment.instructions[j];
    all.push_back(program::effects(mine));
    waits.of_instruction.emplace_back();
    const int q = static_cast<int>(mine.queue);
    for (int p = 0; p < kQueues; ++p) {
      if (p == q) continue;
      for (auto i = on_queue[p].rbegin(); i != on_queue[p].rend() && *i > waits.reached[q][p]; ++i) {
        if (!conflict(all[*i], all[j])) continue;
        waits.of_instruction[j].push_back(*i);
        waits.reached[q][p] = *i;
        break;
      }
    }
    on_queue[q].push_back(static_cast<int>(j));
  }
  return waits;
}

/// What a segment does to an area on a queue.
struct Touch {
  Area area;
  bool writes;
};

struct SegmentFacts {
  LocalWaits waits;
  std::array<std::vector<Touch>, kQueues> touches;
  PerQueue last{};  // the last instruction per queue; -1: none
  std::map<int, int> event_of;
};

SegmentFacts facts_of(const Segment& segment) {
  SegmentFacts facts{local_waits(segment), {}, {}, {}};
  facts.last.fill(-1);
  std::array<std::array<int, program::kAreas>, kQueues> seen{};  // 0 none, 1 reads, 2 writes
  for (size_t i = 0; i < segment.instructions.size(); ++i) {
    const int q = static_cast<int>(segment.instructions[i].queue);
    facts.last[q] = static_cast<int>(i);
    for (const Effect& effect : program::effects(segment.instructions[i])) {
      int& have = seen[q][static_cast<int>(effect.region.area)];
      have = std::max(have, effect.kind == Effect::Kind::read ? 1 : 2);
    }
  }
  for (int q = 0; q < kQueues; ++q)
    for (int area = 0; area < program::kAreas; ++area)
      if (seen[q][area] > 0) facts.touches[q].push_back({static_cast<Area>(area), seen[q][area] == 2});
  return facts;
}

/// Walks a list for two turns and leaves each instance's waits of the second.
class ListWalk {
 public:
  ListWalk(RankList& list, std::vector<SegmentFacts>& facts) : list_(list), facts_(facts) {
    for (PerQueue& row : reached_) row.fill(-1);
  }

  void run() {
    for (int turn = 0; turn < 2; ++turn)
      for (size_t i = 0; i < list_.instances.size(); ++i) visit(turn, static_cast<int>(i));
  }

  struct Found {
    int instance;
    int queue, on_queue, on_instance, lag;
  };
  const std::vector<Found>& found() const { return found_; }

 private:
  struct Resource {
    Area area;
    int64_t base;
    auto operator<=>(const Resource&) const = default;
  };
  struct Last {
    PerQueue read, write;
    Last() { read.fill(-1), write.fill(-1); }
  };

  int count() const { return static_cast<int>(list_.instances.size()); }

  void visit(int turn, int i) {
    const Instance& instance = list_.instances[i];
    const SegmentFacts& facts = facts_[instance.segment];
    const int position = turn * count() + i;
    for (int q = 0; q < kQueues; ++q) {
      PerQueue need;
      need.fill(-1);
      for (const Touch& touch : facts.touches[q]) {
        const Last& last = last_[resource(instance, touch.area)];
        for (int p = 0; p < kQueues; ++p) {
          if (p == q) continue;
          need[p] = std::max(need[p], last.write[p]);
          if (touch.writes) need[p] = std::max(need[p], last.read[p]);
        }
      }
      for (int p = 0; p < kQueues; ++p) require(turn, i, q, p, need[p]);
    }
    record(facts, instance, position);
  }

  void require(int turn, int i, int q, int p, int position) {
    if (position <= reached_[q][p]) return;
    reached_[q][p] = position;
    if (turn == 1) found_.push_back({i, q, p, position % count(), position >= count() ? 0 : 1});
  }

  void record(const SegmentFacts& facts, const Instance& instance, int position) {
    for (int q = 0; q < kQueues; ++q) {
      for (const Touch& touch : facts.touches[q]) {
        Last& last = last_[resource(instance, touch.area)];
        (touch.writes ? last.write : last.read)[q] = position;
      }
      for (int p = 0; p < kQueues; ++p)
        if (facts.last[p] >= 0 && facts.waits.reached[q][p] == facts.last[p]) reached_[q][p] = position;
    }
  }

  static Resource resource(const Instance& instance, Area area) {
    return {area, program::is_framed(area) ? instance.bases[static_cast<int>(area)] : 0};
  }

  RankList& list_;
  std::vector<SegmentFacts>& facts_;
  std::map<Resource, Last> last_;
  std::array<PerQueue, kQueues> reached_{};  // position on queue p that queue q has waited for
  std::vector<Found> found_;
};

int event_of(Segment& segment, SegmentFacts& facts, int instruction) {
  const auto [event, fresh] = facts.event_of.try_emplace(instruction, segment.events);
  if (fresh) segment.instructions[instruction].fires = segment.events++;
  return event->second;
}

void write_waits(Program& program, RankList& list, const ListWalk& walk, std::vector<SegmentFacts>& facts) {
  struct Pending {
    int instance;
    program::Wait wait;
    int on_instance;
  };
  std::vector<Pending> pending;
  for (const ListWalk::Found& f : walk.found()) {
    const int segment = list.instances[f.on_instance].segment;
    const int event = event_of(program.segments[segment], facts[segment], facts[segment].last[f.on_queue]);
    pending.push_back({f.instance, {static_cast<Queue>(f.queue), event, f.lag}, f.on_instance});
  }
  for (Instance& instance : list.instances) {
    instance.first_event = list.events;
    list.events += program.segments[instance.segment].events;
  }
  for (Pending& p : pending) {
    p.wait.event += list.instances[p.on_instance].first_event;
    list.instances[p.instance].waits.push_back(p.wait);
  }
}

}  // namespace

Draft queues(Draft draft) {
  Program& program = draft.program;
  std::vector<SegmentFacts> facts;
  for (Segment& segment : program.segments) {
    facts.push_back(facts_of(segment));
    for (size_t j = 0; j < segment.instructions.size(); ++j)
      for (int i : facts.back().waits.of_instruction[j])
        segment.instructions[j].waits.push_back(event_of(segment, facts.back(), i));
  }
  for (RankList& list : program.lists) {
    ListWalk walk(list, facts);
    walk.run();
    write_waits(program, list, walk, facts);
  }
  return draft;
}

}  // namespace pleat::compile
