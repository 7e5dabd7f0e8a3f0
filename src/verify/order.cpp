// SPDX-License-Identifier: Apache-2.0
// order: two accesses of different queues to the same bytes, at least one of which changes them, are ordered
// by events. Every item has a clock: how far each queue has come for certain when it starts.
#include <array>

#include "verify/properties.h"
#include "verify/shadow.h"

namespace pleat::verify {
namespace {

using Clock = std::array<int64_t, kQueues>;  // finished items per queue, over all turns

struct Access {
  int64_t writer = -1;  // position on its queue, over all turns
  int32_t writer_queue = 0;
  int32_t writer_item = -1;
  Clock readers{};  // one past the position of the last reader
  std::array<int32_t, kQueues> reader_items{};
};

class Walk {
 public:
  Walk(const FlatList& list, Issues& issues)
      : list_(list), issues_(issues), clocks_(list.items.size()), before_(list.items.size()) {}

  void turn(int number) {
    turn_ = number;
    before_.swap(clocks_);
    for (size_t i = 0; i < list_.items.size() && !issues_.full(); ++i) {
      clocks_[i] = clock_of(list_.items[i]);
      last_[static_cast<size_t>(list_.items[i].queue)] = clocks_[i];
      visit(static_cast<int>(i), clocks_[i]);
    }
  }

 private:
  int64_t position(const Item& item, int turn) const {
    return static_cast<int64_t>(turn) * list_.on_queue[static_cast<size_t>(item.queue)] + item.position;
  }

  Clock clock_of(const Item& item) {
    Clock clock = last_[static_cast<size_t>(item.queue)];
    clock[static_cast<size_t>(item.queue)] = position(item, turn_);
    for (int w = item.first_wait; w < item.last_wait; ++w) {
      const WaitOn& wait = list_.waits[static_cast<size_t>(w)];
      if (turn_ < wait.lag) continue;
      const Item& on = list_.items[static_cast<size_t>(wait.item)];
      const Clock& theirs = (wait.lag == 0 ? clocks_ : before_)[static_cast<size_t>(wait.item)];
      for (size_t q = 0; q < clock.size(); ++q) clock[q] = std::max(clock[q], theirs[q]);
      auto& there = clock[static_cast<size_t>(on.queue)];
      there = std::max(there, position(on, turn_ - wait.lag) + 1);
    }
    return clock;
  }

  void visit(int number, const Clock& clock) {
    const Item& item = list_.items[static_cast<size_t>(number)];
    const auto queue = static_cast<size_t>(item.queue);
    for (const Effect& effect : *item.effects) {
      const Rows rows = list_.rows(item, effect.region);
      Shadow<Access>& shadow = areas_[static_cast<size_t>(effect.region.area)];
      const bool reads = effect.kind == Effect::Kind::read;
      int64_t known = shadow.visit(rows, [&](Access& access) {
        if (access.writer >= clock[static_cast<size_t>(access.writer_queue)] &&
            access.writer_queue != item.queue)
          tell(item, effect, access.writer_item, "written");
        if (reads) {
          access.readers[queue] = clock[queue] + 1;
          access.reader_items[queue] = number;
          return;
        }
        for (size_t q = 0; q < access.readers.size(); ++q)
          if (q != queue && access.readers[q] > clock[q]) tell(item, effect, access.reader_items[q], "read");
      });
      Access mine;
      if (reads && known != rows.bytes()) {  // state, and what nobody has written yet
        mine.readers[queue] = clock[queue] + 1;
        mine.reader_items[queue] = number;
        std::vector<Rows> unknown = shadow.unknown(rows);
        for (const Rows& rest : unknown) shadow.assign(rest, mine);
      } else if (!reads) {
        mine.writer = clock[queue];
        mine.writer_queue = item.queue;
        mine.writer_item = number;
        shadow.assign(rows, mine);
      }
    }
  }

  void tell(const Item& item, const Effect& effect, int other, std::string_view what) {
    const Item& theirs = list_.items[static_cast<size_t>(other)];
    issues_.add("{} on queue {}: {}+{} is {} by {} on queue {}, and no event orders the two",
                list_.describe(item), program::name_of(static_cast<Queue>(item.queue)),
                program::name_of(effect.region.area), effect.region.offset, what, list_.describe(theirs),
                program::name_of(static_cast<Queue>(theirs.queue)));
  }

  const FlatList& list_;
  Issues& issues_;
  std::vector<Clock> clocks_, before_;  // by item, of this turn and the one before
  std::array<Clock, kQueues> last_{};   // of the last item of each queue
  int turn_ = 0;
  std::array<Shadow<Access>, kAreas> areas_;
};

}  // namespace

void check_order(const FlatList& list, const Options& options, Issues& issues) {
  Walk walk(list, issues);
  for (int turn = 0; turn < options.turns; ++turn) walk.turn(turn);
}

}  // namespace pleat::verify
