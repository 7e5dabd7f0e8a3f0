// SPDX-License-Identifier: Apache-2.0
// versions: the walk in list order over what every byte holds. And lifetimes, which need the same walk: a
// byte that is read holds the buffer that the reader means, of its own micro-batch and turn.
#include <algorithm>
#include <map>

#include "base/dtype.h"
#include "verify/operands.h"
#include "verify/properties.h"
#include "verify/shadow.h"

namespace pleat::verify {
namespace {

struct Version {
  int32_t buffer = -1;
  base::DType dtype = base::DType::f32;
  int32_t turn = -1;
  int32_t owner = -1;        // micro-batch of a frame, instance of scratch
  int32_t micro_batch = -1;  // the last one added; -1: no sum
  int32_t writer = -1;       // item
};

class Walk {
 public:
  Walk(const FlatList& list, Issues& versions, Issues& lifetimes)
      : list_(list), versions_(versions), lifetimes_(lifetimes) {
    for (const program::StateSlot& slot : list.program->state)
      if (slot.stage == list.list->stage)
        area(Area::state)
            .assign(rows_of(slot.region, 0), {slot.region.buffer, slot.region.type.dtype, -1, -1, -1, -1});
  }

  void turn(int number) {
    turn_ = number;
    for (size_t i = 0; i < list_.items.size(); ++i) {
      if (versions_.full() || lifetimes_.full()) return;
      visit(static_cast<int>(i));
    }
  }

 private:
  Shadow<Version>& area(Area a) { return areas_[static_cast<size_t>(a)]; }

  int32_t owner(const Item& item, Area a) const {
    if (program::is_framed(a)) return list_.instance(item).micro_batch;
    return a == Area::scratch ? item.instance : -1;
  }

  void visit(int number) {
    const Item& item = list_.items[static_cast<size_t>(number)];
    for (const Effect& effect : *item.effects) {
      switch (effect.kind) {
        case Effect::Kind::read:
          read(item, effect.region, "reads");
          break;
        case Effect::Kind::write:
          write(item, number, effect.region);
          break;
        case Effect::Kind::accumulate:
          accumulate(item, number, effect.region);
          break;
        case Effect::Kind::update:
          update(item, number, effect.region);
          break;
      }
    }
  }

  std::string name(const Region& r) const {
    std::string text = fmt::format("{}+{} ({} {})", program::name_of(r.area), r.offset,
                                   base::name_of(r.type.dtype), base::to_string(r.type.shape));
    return r.buffer < 0 ? text : text + fmt::format(" of buffer {}", r.buffer);
  }
  std::string by(const Version& v) const {
    return v.writer < 0 ? std::string("the state section")
                        : list_.describe(list_.items[static_cast<size_t>(v.writer)]);
  }

  void read(const Item& item, const Region& region, std::string_view verb) {
    const Rows rows = list_.rows(item, region);
    const int32_t mine = owner(item, region.area);
    const Version *stale = nullptr, *other = nullptr, *dtype = nullptr;
    const int64_t known = area(region.area).visit(rows, [&](Version& v) {
      const bool current = region.area == Area::state || (v.turn == turn_ && v.owner == mine);
      if (v.buffer >= 0 && region.buffer >= 0 && v.buffer != region.buffer)
        other = &v;
      else if (!current)
        stale = &v;
      else if (v.dtype != region.type.dtype)
        dtype = &v;
    });
    if (known != rows.bytes())
      versions_.add("{}: {} {}, of which {} of {} bytes were never written", list_.describe(item), verb,
                    name(region), rows.bytes() - known, rows.bytes());
    if (other)
      lifetimes_.add("{}: {} {}, which {} overwrote with buffer {}", list_.describe(item), verb, name(region),
                     by(*other), other->buffer);
    if (stale)
      versions_.add("{}: {} {}, last written for another micro-batch, segment or turn by {}",
                    list_.describe(item), verb, name(region), by(*stale));
    if (dtype)
      versions_.add("{}: {} {} as {}, written by {}", list_.describe(item), verb, name(region),
                    base::name_of(region.type.dtype), by(*dtype));
  }

  void write(const Item& item, int number, const Region& region) {
    if (region.area == Area::state)
      return versions_.add("{}: writes {}; state is changed by updates only", list_.describe(item),
                           name(region));
    store(item, number, region, -1);
  }

  /// A new version of bytes that have none in this life.
  void store(const Item& item, int number, const Region& region, int32_t micro_batch) {
    const Rows rows = list_.rows(item, region);
    const int32_t mine = owner(item, region.area);
    const Version* twice = nullptr;
    area(region.area).visit(rows, [&](Version& v) {
      const bool same_life = v.turn == turn_ && v.owner == mine;
      const bool same_buffer = region.area != Area::scratch || (v.buffer >= 0 && v.buffer == region.buffer);
      if (same_life && same_buffer) twice = &v;
    });
    if (twice)
      versions_.add("{}: writes {} again; {} wrote it", list_.describe(item), name(region), by(*twice));
    area(region.area).assign(rows, {region.buffer, region.type.dtype, turn_, mine, micro_batch, number});
  }

  void accumulate(const Item& item, int number, const Region& region) {
    const Instance& instance = list_.instance(item);
    if (region.area == Area::state)
      return versions_.add("{}: accumulates into {}; state is changed by updates only", list_.describe(item),
                           name(region));
    if (instance.micro_batch < 0)
      versions_.add("{}: accumulates outside any micro-batch", list_.describe(item));
    if (instance.first) return store(item, number, region, instance.micro_batch);
    read(item, region, "adds to");
    area(region.area).visit(list_.rows(item, region), [&](Version& v) {
      if (v.micro_batch < 0)
        versions_.add("{}: adds to {}, which is no sum: {} wrote it", list_.describe(item), name(region),
                      by(v));
      else if (v.micro_batch >= instance.micro_batch)
        versions_.add("{}: adds to {} after micro-batch {}", list_.describe(item), name(region),
                      v.micro_batch);
      v.micro_batch = instance.micro_batch;
      v.writer = number;
    });
  }

  void update(const Item& item, int number, const Region& region) {
    if (region.area == Area::state && !item.instruction->guard)
      versions_.add("{}: updates {} without a guard", list_.describe(item), name(region));
    read(item, region, "updates");
    const bool blind = region.area != Area::state && !reads_bytes_of(item, region);
    area(region.area).visit(list_.rows(item, region), [&](Version& v) {
      if (blind &&
          (v.writer < 0 || list_.items[static_cast<size_t>(v.writer)].instruction->op != graph::Op::zero))
        versions_.add("{}: updates {} without reading it; what {} wrote is lost", list_.describe(item),
                      name(region), by(v));
      if (region.area == Area::state && v.turn == turn_)
        versions_.add("{}: updates {} a second time in the turn", list_.describe(item), name(region));
      v.turn = turn_;
      v.micro_batch = -1;
      v.writer = number;
    });
  }

  /// Only zeros may be filled in without a look at them.
  bool reads_bytes_of(const Item& item, const Region& region) const {
    return std::any_of(
        item.instruction->reads.begin(), item.instruction->reads.end(), [&](const Region& read) {
          return read.area == region.area && read.offset < region.end() && region.offset < read.end();
        });
  }

  const FlatList& list_;
  Issues& versions_;
  Issues& lifetimes_;
  int turn_ = 0;
  std::array<Shadow<Version>, kAreas> areas_;
};

}  // namespace

void check_versions(const FlatList& list, const Options& options, Issues& versions, Issues& lifetimes) {
  Walk walk(list, versions, lifetimes);
  for (int turn = 0; turn < options.turns; ++turn) walk.turn(turn);
}

}  // namespace pleat::verify
