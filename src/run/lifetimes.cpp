// SPDX-License-Identifier: Apache-2.0
#include "run/lifetimes.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace pleat::run {
namespace {

using program::Area;
using program::Effect;
using program::Instance;
using program::Region;

/// What makes two touches the same life: area, buffer, and instance or micro-batch and frame where it has
/// one.
using Key = std::tuple<Area, int32_t, int64_t, int64_t>;

class Collector {
 public:
  Collector(const program::Program& program, const program::RankList& list)
      : program_(program), list_(list), areas_(program::area_offsets(list)) {}

  Lifetimes run() {
    const int state = static_cast<int>(Area::state);
    all_.immortal.push_back({areas_[state], areas_[state] + list_.area_bytes[state]});
    for (size_t n = 0; n < list_.instances.size(); ++n)
      for (const program::Instruction& instruction :
           program_.segments[list_.instances[n].segment].instructions)
        add(instruction, list_.instances[n], static_cast<int64_t>(n));
    return std::move(all_);
  }

 private:
  void add(const program::Instruction& instruction, const Instance& instance, int64_t number) {
    ItemLives& item = all_.items.emplace_back();
    for (const Effect& effect : program::effects(instruction)) {
      const Region& region = effect.region;
      if (region.area == Area::state) continue;
      const Span span = span_of(region, instance);
      if (region.buffer < 0) {
        all_.immortal.push_back(span);
        continue;
      }
      const int life = life_of(key_of(region, instance, number), span);
      if (std::find(item.touches.begin(), item.touches.end(), life) == item.touches.end()) {
        item.touches.push_back(life);
        ++all_.lives[life].touches;
      }
      if (effect.kind != Effect::Kind::read) item.writes.push_back(span);
    }
  }

  Span span_of(const Region& region, const Instance& instance) const {
    const int area = static_cast<int>(region.area);
    const int64_t base = areas_[area] + (program::is_framed(region.area) ? instance.bases[area] : 0);
    return {base + region.offset, base + region.end()};
  }

  static Key key_of(const Region& region, const Instance& instance, int64_t number) {
    if (region.area == Area::scratch) return {region.area, region.buffer, number, 0};
    if (!program::is_framed(region.area)) return {region.area, region.buffer, 0, 0};
    return {region.area, region.buffer, instance.micro_batch, instance.bases[static_cast<int>(region.area)]};
  }

  int life_of(const Key& key, const Span& span) {
    const auto [found, fresh] = life_of_.try_emplace(key, static_cast<int>(all_.lives.size()));
    if (fresh) all_.lives.push_back({span, 0});
    Span& whole = all_.lives[found->second].span;
    whole = {std::min(whole.begin, span.begin), std::max(whole.end, span.end)};
    return found->second;
  }

  const program::Program& program_;
  const program::RankList& list_;
  std::array<int64_t, program::kAreas> areas_;
  std::map<Key, int> life_of_;
  Lifetimes all_;
};

}  // namespace

Lifetimes lifetimes_of(const program::Program& program, const program::RankList& list) {
  return Collector(program, list).run();
}

}  // namespace pleat::run
