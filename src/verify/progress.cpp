// SPDX-License-Identifier: Apache-2.0
// progress: the lists are walked as ranks walk them, every communication with rendezvous on all sides, in
// three models: queues by events; one stream for all communication of a rank, as transports have; one
// instruction after the other. One rank stands for its stage: the others have the same list and move in step.
#include <algorithm>
#include <deque>
#include <map>

#include "verify/channel.h"
#include "verify/properties.h"

namespace pleat::verify {
namespace {

enum class Model { queues, one_stream, in_order };
constexpr std::array<std::string_view, 3> kModelNames{
    "by queues", "with one stream of communication per rank", "in list order"};

int lane_of(Model model, int queue) {
  if (model == Model::in_order) return 0;
  const bool communicates =
      queue != static_cast<int>(Queue::compute) && queue != static_cast<int>(Queue::host);
  return model == Model::one_stream && communicates ? static_cast<int>(Queue::group) : queue;
}

struct Lane {
  std::vector<int> items;
  size_t next = 0;
  int turn = 0;
  bool posted = false;
};

struct Walker {
  const FlatList* list = nullptr;
  std::array<Lane, kQueues> lanes;
  std::vector<int> done;     // turns, by item
  std::vector<int> channel;  // by item; -1: none or nobody to meet
};

struct Meeting {  // a channel between stages
  size_t parties = 0;
  std::vector<std::pair<size_t, int>> waiting;  // walker and lane
};

class Walks {
 public:
  Walks(const Program& program, const FlatLists& lists, int turns) : turns_(turns) {
    std::map<Channel, int> numbers;
    for (const FlatList& list : lists) {
      Walker walker{&list, {}, std::vector<int>(list.items.size(), 0), {}};
      for (const Item& item : list.items) walker.channel.push_back(number(program, list, item, numbers));
      walkers_.push_back(std::move(walker));
    }
  }

  void run(Model model) {
    model_ = model;
    for (Walker& walker : walkers_) {
      walker.lanes = {};
      std::fill(walker.done.begin(), walker.done.end(), 0);
      for (size_t i = 0; i < walker.list->items.size(); ++i)
        walker.lanes[static_cast<size_t>(lane_of(model, walker.list->items[i].queue))].items.push_back(
            static_cast<int>(i));
    }
    for (Meeting& meeting : meetings_) meeting.waiting.clear();
    awake_.clear();
    for (size_t w = 0; w < walkers_.size(); ++w) awake_.push_back(w);
    while (!awake_.empty()) {
      const size_t w = awake_.front();
      awake_.pop_front();
      for (bool moved = true; moved;) {
        moved = false;
        for (int lane = 0; lane < kQueues; ++lane)
          while (advance(w, lane)) moved = true;
      }
    }
  }

  /// Where every lane stands that has not come to its end; empty if all have.
  std::string stuck() const {
    std::string text;
    for (const Walker& walker : walkers_)
      for (const Lane& lane : walker.lanes)
        if (!finished(lane))
          text += fmt::format("\n  {} in turn {} {}", walker.list->describe(walker.list->items[head(lane)]),
                              lane.turn, reason(walker, lane));
    return text;
  }

 private:
  static size_t head(const Lane& lane) { return static_cast<size_t>(lane.items[lane.next]); }
  bool finished(const Lane& lane) const { return lane.items.empty() || lane.turn == turns_; }

  /// A channel of the stages that have lists; -1 where nobody else is met.
  int number(const Program& program, const FlatList& list, const Item& item,
             std::map<Channel, int>& numbers) {
    if (!graph::is_communication(item.instruction->op)) return -1;
    const Channel channel = channel_of(program.layout, list.list->stage, *item.instruction);
    size_t parties = 0;
    for (const RankList& other : program.lists)
      parties += static_cast<size_t>(std::count(channel.stages.begin(), channel.stages.end(), other.stage));
    if (parties < 2) return -1;
    const auto [place, fresh] = numbers.try_emplace(channel, static_cast<int>(meetings_.size()));
    if (fresh) meetings_.push_back({parties, {}});
    return place->second;
  }

  bool ready(const Walker& walker, const Lane& lane) const {
    const Item& item = walker.list->items[head(lane)];
    for (int w = item.first_wait; w < item.last_wait; ++w) {
      const WaitOn& wait = walker.list->waits[static_cast<size_t>(w)];
      if (walker.done[static_cast<size_t>(wait.item)] < lane.turn + 1 - wait.lag) return false;
    }
    return true;
  }

  bool advance(size_t w, int number) {
    Walker& walker = walkers_[w];
    Lane& lane = walker.lanes[static_cast<size_t>(number)];
    if (finished(lane) || lane.posted || !ready(walker, lane)) return false;
    const int channel = walker.channel[head(lane)];
    if (channel < 0) return complete(walker, lane), true;
    Meeting& meeting = meetings_[static_cast<size_t>(channel)];
    lane.posted = true;
    meeting.waiting.emplace_back(w, number);
    if (meeting.waiting.size() < meeting.parties) return false;
    for (const auto& [who, where] : meeting.waiting) {
      complete(walkers_[who], walkers_[who].lanes[static_cast<size_t>(where)]);
      if (who != w) awake_.push_back(who);
    }
    meeting.waiting.clear();
    return true;
  }

  static void complete(Walker& walker, Lane& lane) {
    ++walker.done[head(lane)];
    lane.posted = false;
    if (++lane.next == lane.items.size()) lane.next = 0, ++lane.turn;
  }

  std::string reason(const Walker& walker, const Lane& lane) const {
    if (lane.posted) return "meets nobody";
    const Item& item = walker.list->items[head(lane)];
    for (int w = item.first_wait; w < item.last_wait; ++w) {
      const WaitOn& wait = walker.list->waits[static_cast<size_t>(w)];
      if (walker.done[static_cast<size_t>(wait.item)] < lane.turn + 1 - wait.lag)
        return fmt::format("waits for {}",
                           walker.list->describe(walker.list->items[static_cast<size_t>(wait.item)]));
    }
    return "is ready";
  }

  int turns_;
  Model model_ = Model::queues;
  std::vector<Walker> walkers_;
  std::vector<Meeting> meetings_;
  std::deque<size_t> awake_;
};

}  // namespace

void check_progress(const Program& program, const FlatLists& lists, const Options& options, Issues& issues) {
  Walks walks(program, lists, options.turns);
  for (Model model : {Model::queues, Model::one_stream, Model::in_order}) {
    walks.run(model);
    if (const std::string where = walks.stuck(); !where.empty())
      issues.add("run {}, the ranks wait for ever:{}", kModelNames[static_cast<size_t>(model)], where);
  }
}

}  // namespace pleat::verify
