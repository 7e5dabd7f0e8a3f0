// SPDX-License-Identifier: Apache-2.0
#include "train/recorder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace pleat::train {
namespace {

using program::Instance;
using program::Instruction;
using program::Program;

int64_t nanoseconds(double seconds) {
  return std::llround(seconds * 1e9);
}

}  // namespace

Recorder::Recorder(const Program& program, int turns, Clock thread_clock)
    : program_(program), turns_(turns), thread_clock_(std::move(thread_clock)) {
  ranks_.resize(static_cast<size_t>(program.layout.world()));
  for (size_t rank = 0; rank < ranks_.size(); ++rank) {
    RankTimes& times = ranks_[rank];
    size_t count = 0;
    for (const Instance& instance : program.list_of(base::Rank(static_cast<int64_t>(rank))).instances) {
      times.first.push_back(count);
      count += program.segments[static_cast<size_t>(instance.segment)].instructions.size();
    }
    times.first.push_back(count);
    times.seen.assign(count, 0);
    times.ran.assign(count * static_cast<size_t>(turns), {});
  }
}

run::Times Recorder::start(base::Rank rank) {
  if (thread_clock_) ranks_[static_cast<size_t>(rank.value)].told = thread_clock_();
  return [this](base::Rank id, int instance, int instruction, double begin, double end) {
    add(id, instance, instruction, begin, end);
  };
}

void Recorder::add(base::Rank rank, int instance, int instruction, double begin, double end) {
  RankTimes& times = ranks_[static_cast<size_t>(rank.value)];
  const double now = thread_clock_ ? thread_clock_() : 0;
  const double worked = now - std::exchange(times.told, now);
  const size_t number = times.first[static_cast<size_t>(instance)] + static_cast<size_t>(instruction);
  const int32_t turn = times.seen[number];
  if (turn >= turns_) return;
  ++times.seen[number];
  times.ran[static_cast<size_t>(turn) * times.seen.size() + number] = {begin, end, worked};
}

int Recorder::turns() const {
  int turns = turns_;
  for (const RankTimes& times : ranks_)
    for (int32_t seen : times.seen) turns = std::min(turns, static_cast<int>(seen));
  return turns;
}

template <class Visit>
void Recorder::for_each(base::Rank rank, int turn, const Visit& visit) const {
  const RankTimes& times = ranks_[static_cast<size_t>(rank.value)];
  const auto& instances = program_.list_of(rank).instances;
  const Ran* ran = times.ran.data() + static_cast<size_t>(turn) * times.seen.size();
  for (const Instance& instance : instances)
    for (const Instruction& instruction :
         program_.segments[static_cast<size_t>(instance.segment)].instructions)
      visit(instance, instruction, *ran++);
}

double Recorder::start_of(int turn) const {
  double start = std::numeric_limits<double>::max();
  for (size_t rank = 0; rank < ranks_.size(); ++rank)
    for_each(base::Rank(static_cast<int64_t>(rank)), turn,
             [&](const Instance&, const Instruction& instruction, const Ran& ran) {
               if (!graph::is_communication(instruction.op)) start = std::min(start, ran.begin);
             });
  return start;
}

std::vector<TimelineSpan> Recorder::timeline(int turn) const {
  const double zero = start_of(turn);
  std::vector<TimelineSpan> spans;
  for (size_t rank = 0; rank < ranks_.size(); ++rank)
    for_each(base::Rank(static_cast<int64_t>(rank)), turn,
             [&](const Instance& instance, const Instruction& instruction, const Ran& ran) {
               const program::Segment& segment = program_.segments[static_cast<size_t>(instance.segment)];
               simulate::Label label = simulate::label_of(segment, instruction);
               const int64_t start = std::max<int64_t>(0, nanoseconds(ran.begin - zero));
               const int64_t end = std::max(start, nanoseconds(ran.end - zero));
               spans.push_back({static_cast<int32_t>(rank), std::string(name_of(instruction.queue)),
                                std::move(label.name), std::move(label.kind), start, end - start});
             });
  return spans;
}

template <class Value>
Recorder::Nanoseconds Recorder::by_operation(const Value& value) const {
  struct Turn {
    double all = 0;
    std::array<double, simulate::kOps> seconds{};
  };
  std::vector<Turn> turns(static_cast<size_t>(this->turns()));
  for (size_t turn = 0; turn < turns.size(); ++turn)
    for (size_t rank = 0; rank < ranks_.size(); ++rank)
      for_each(base::Rank(static_cast<int64_t>(rank)), static_cast<int>(turn),
               [&](const Instance&, const Instruction& instruction, const Ran& ran) {
                 const double seconds = value(instruction, ran);
                 turns[turn].seconds[static_cast<size_t>(instruction.op)] += seconds;
                 turns[turn].all += seconds;
               });
  std::sort(turns.begin(), turns.end(), [](const Turn& a, const Turn& b) { return a.all < b.all; });
  if (turns.size() >= 3) turns = {turns.begin() + 1, turns.end() - 1};
  Nanoseconds means{};
  for (size_t op = 0; op < means.size(); ++op) {
    double sum = 0;
    for (const Turn& turn : turns) sum += turn.seconds[op];
    means[op] = turns.empty() ? 0 : nanoseconds(sum / static_cast<double>(turns.size()));
  }
  return means;
}

Recorder::Nanoseconds Recorder::ran() const {
  return by_operation([](const Instruction& instruction, const Ran& ran) {
    return graph::is_communication(instruction.op) ? 0 : ran.end - ran.begin;
  });
}

Recorder::Nanoseconds Recorder::worked() const {
  return by_operation([](const Instruction&, const Ran& ran) { return ran.worked; });
}

std::vector<TimelineSpan> timeline_of(const simulate::Result& result) {
  std::vector<TimelineSpan> spans;
  for (const simulate::Span& span : result.spans) {
    const simulate::Label& label = result.labels[static_cast<size_t>(span.label)];
    spans.push_back({span.rank, std::string(program::name_of(span.queue)), label.name, label.kind,
                     span.start_ns, span.duration_ns});
  }
  return spans;
}

}  // namespace pleat::train
