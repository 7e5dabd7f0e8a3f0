// SPDX-License-Identifier: Apache-2.0
// well-formed: instances, their frames and events, and the waits between them.
#include <algorithm>
#include <set>

#include "base/errors.h"
#include "verify/flat.h"
#include "verify/well_formed.h"

namespace pleat::verify {
namespace {

constexpr int64_t kMostItems = int64_t{1} << 24;

class Lists {
 public:
  Lists(const Program& program, Issues& issues) : p_(program), issues_(issues) {}

  void run() {
    std::set<int32_t> stages;
    for (const RankList& list : p_.lists) {
      if (list.stage < 0 || list.stage >= p_.layout.stages())
        issues_.add("a list of stage {}; the layout has {}", list.stage, p_.layout.stages());
      if (!stages.insert(list.stage).second) issues_.add("two lists of stage {}", list.stage);
      this->list(list);
    }
  }

 private:
  void list(const RankList& list) {
    std::vector<std::pair<int64_t, int64_t>> events;
    int64_t total = 0, items = 0;
    for (size_t n = 0; n < list.instances.size(); ++n) {
      const Instance& instance = list.instances[n];
      if (instance.segment < 0 || instance.segment >= static_cast<int>(p_.segments.size())) {
        issues_.add("stage {}, instance {}: segment {} of {}", list.stage, n, instance.segment,
                    p_.segments.size());
        continue;
      }
      const Segment& segment = p_.segments[instance.segment];
      this->instance(list, n, segment);
      total += segment.events;
      items += static_cast<int64_t>(segment.instructions.size());
      events.emplace_back(instance.first_event, instance.first_event + segment.events);
    }
    if (items > kMostItems)
      issues_.add("stage {}: {} instructions; at most {} can be verified", list.stage, items, kMostItems);
    std::sort(events.begin(), events.end());
    int64_t end = 0;
    bool apart = list.events >= 0 && total == list.events;
    for (const auto& [first, last] : events)
      if (first != last) apart = apart && first >= end && first >= 0, end = last;
    if (!apart || end > list.events)
      issues_.add("stage {}: the events of its instances overlap or are not {} in all", list.stage,
                  list.events);
    else
      for (size_t n = 0; n < list.instances.size(); ++n) instance_waits(list, n);
  }

  void instance(const RankList& list, size_t n, const Segment& segment) {
    const Instance& instance = list.instances[n];
    const auto complain = [&](const std::string& text) {
      issues_.add("stage {}, instance {} ('{}'): {}", list.stage, n, segment.name, text);
    };
    if (segment.chunk >= 0 && p_.layout.stage_of(base::Chunk(segment.chunk)).value != list.stage)
      complain(fmt::format("chunk {} is not of this stage", segment.chunk));
    if (instance.micro_batch < -1 || instance.micro_batch >= p_.micro_batches)
      complain(fmt::format("micro-batch {} of {}", instance.micro_batch, p_.micro_batches));
    if (instance.slice < 0) complain(fmt::format("slice {}", instance.slice));
    for (int area = 0; area < kAreas; ++area) {
      const int64_t base = instance.bases[area];
      if (base < 0 || base % program::kAlignment != 0)
        complain(fmt::format("base {} in {} is no multiple of {}", base, program::kAreaNames[area],
                             program::kAlignment));
      if (base != 0 && !program::is_framed(static_cast<Area>(area)))
        complain(fmt::format("a base in {}, which has no frames", program::kAreaNames[area]));
    }
    for (const Instruction& instruction : segment.instructions) {
      if (instruction.party) peer(list, instruction, complain);
      for (const Effect& effect : program::effects(instruction)) {
        const int area = static_cast<int>(effect.region.area);
        const int64_t base = program::is_framed(effect.region.area) ? instance.bases[area] : 0;
        if (rows_of(effect.region, base).end() > list.area_bytes[area])
          complain(fmt::format("{} reaches {}+{}, the area has {} bytes", brief(instruction),
                               program::kAreaNames[area], rows_of(effect.region, base).end(),
                               list.area_bytes[area]));
      }
    }
  }

  template <class Complain>
  void peer(const RankList& list, const Instruction& instruction, const Complain& complain) {
    const program::Party& party = *instruction.party;
    const int64_t stage = list.stage + party.stage_offset;
    if (stage < 0 || stage >= p_.layout.stages())
      complain(fmt::format("{} with stage {} of {}", brief(instruction), stage, p_.layout.stages()));
    if (!party.stages.empty() &&
        std::find(party.stages.begin(), party.stages.end(), list.stage) == party.stages.end())
      complain(fmt::format("{} in a group that is not of this stage", brief(instruction)));
  }

  void instance_waits(const RankList& list, size_t n) {
    const Instance& instance = list.instances[n];
    for (const program::Wait& wait : instance.waits) {
      const auto complain = [&](const std::string& text) {
        issues_.add("stage {}, instance {} ('{}'): a wait of queue {} for event {} {}", list.stage, n,
                    p_.segments[instance.segment].name, program::name_of(wait.queue), wait.event, text);
      };
      if (wait.lag < 0 || wait.lag > 1) complain(fmt::format("with lag {}: 0 or 1", wait.lag));
      const auto& instructions = p_.segments[instance.segment].instructions;
      if (std::none_of(instructions.begin(), instructions.end(),
                       [&](const Instruction& i) { return i.queue == wait.queue; }))
        complain("which has nothing to do here");
      const auto firing = firing_of(list, wait.event);
      if (!firing.instruction)
        complain("that nothing fires");
      else if (firing.instruction->queue == wait.queue)
        complain("of its own queue");
      else if (wait.lag == 0 && firing.instance >= n)
        complain("of this turn that comes later");
    }
  }

  struct Firing {
    size_t instance = 0;
    const Instruction* instruction = nullptr;
  };
  Firing firing_of(const RankList& list, int32_t event) {
    if (firing_list_ != &list) {
      firing_list_ = &list;
      firing_.assign(static_cast<size_t>(list.events), {});
      for (size_t n = 0; n < list.instances.size(); ++n)
        for (const Instruction& instruction : p_.segments[list.instances[n].segment].instructions)
          if (instruction.fires && *instruction.fires >= 0 &&
              *instruction.fires < p_.segments[list.instances[n].segment].events)
            firing_[list.instances[n].first_event + *instruction.fires] = {n, &instruction};
    }
    return event >= 0 && event < list.events ? firing_[static_cast<size_t>(event)] : Firing{};
  }

  const Program& p_;
  Issues& issues_;
  const RankList* firing_list_ = nullptr;
  std::vector<Firing> firing_;
};

}  // namespace

void check_lists(const Program& program, Issues& issues) {
  Lists(program, issues).run();
}

}  // namespace pleat::verify
