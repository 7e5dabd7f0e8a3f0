// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_run.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/errors.h"
#include "cli/bench_ports.h"
#include "cli/host.h"
#include "run/crew.h"
#include "simulate/cost.h"
#include "train/request.h"
#include "train/weights.h"

namespace pleat::cli {
namespace {

using program::Instruction;
using program::Program;

constexpr double kStallSeconds = 120;

run::Options options_of(program::Order order) {
  run::Options options;
  options.order = order;
  options.clock = clock_seconds;
  options.stall_seconds = kStallSeconds;
  return options;
}

void initialise(run::Crew& crew, const config::Job& job, const Program& program) {
  crew.each([&](base::Rank id, run::Rank& rank) {
    train::initialise(program, id, rank, job.model, static_cast<uint64_t>(job.train.seed));
  });
}

/// Sums by operation of what one thread tells; other threads tell in vain.
class Stopwatch {
 public:
  Stopwatch(const Program& program, base::Rank rank) : program_(program), list_(program.list_of(rank)) {
    for (size_t op = 0; op < times_.size(); ++op) times_[op].op = static_cast<graph::Op>(op);
  }

  void belongs_to_this_thread() { thread_ = std::this_thread::get_id(); }
  void start() { running_ = true; }

  void add(int instance, int index, double begin, double end) {
    if (!running_ || std::this_thread::get_id() != thread_) return;
    const program::Instance& i = list_.instances[static_cast<size_t>(instance)];
    const Instruction& instruction =
        program_.segments[static_cast<size_t>(i.segment)].instructions[static_cast<size_t>(index)];
    OperationTime& time = times_[static_cast<size_t>(instruction.op)];
    ++time.calls;
    time.seconds += end - begin;
    if (graph::is_communication(instruction.op)) return;
    const graph::Cost cost = simulate::cost_of(instruction);
    time.flops += cost.flops;
    time.bytes += cost.bytes;
  }

  /// Per step, the longest first, without operations that did not occur.
  std::vector<OperationTime> per_step(int64_t steps) const {
    std::vector<OperationTime> result;
    for (OperationTime time : times_) {
      if (time.calls == 0) continue;
      time.calls /= steps;
      time.seconds /= static_cast<double>(steps);
      time.flops /= static_cast<double>(steps);
      time.bytes /= static_cast<double>(steps);
      result.push_back(time);
    }
    std::sort(result.begin(), result.end(),
              [](const OperationTime& a, const OperationTime& b) { return a.seconds > b.seconds; });
    return result;
  }

 private:
  const Program& program_;
  const program::RankList& list_;
  std::thread::id thread_;
  bool running_ = false;  // changes only while no rank runs
  std::array<OperationTime, static_cast<size_t>(graph::Op::count_)> times_{};
};

}  // namespace

Measured measure_steps(const config::Job& job, const Program& program, int64_t steps,
                       const std::function<void(double)>& between) {
  Measured measured;
  double mark = clock_seconds();
  const auto lap = [&] {
    const double now = clock_seconds();
    return now - std::exchange(mark, now);
  };
  run::Crew crew(
      program, [&](base::Rank rank) { return bench_ports(job, rank); }, options_of(train::order_of(job)));
  measured.bind_seconds = lap();
  initialise(crew, job, program);
  measured.weights_seconds = lap();
  crew.run(1);
  for (int64_t step = 0; step < steps; ++step) {
    lap();
    crew.run(1);
    measured.steps.push_back(lap());
    between(measured.steps.back());
  }
  return measured;
}

View measure_operations(const config::Job& job, const Program& program, base::Rank rank, int64_t steps) {
  Stopwatch watch(program, rank);
  run::Options options = options_of(program::Order::in_order);
  options.times = [&](base::Rank, int instance, int index, double begin, double end) {
    watch.add(instance, index, begin, end);
  };
  const auto ports = [&](base::Rank id) {
    if (id == rank) watch.belongs_to_this_thread();
    return bench_ports(job, id);
  };
  run::Crew crew(program, ports, options);
  initialise(crew, job, program);
  crew.run(1);
  watch.start();
  View view;
  crew.each([&](base::Rank id, run::Rank& mine) {
    const double began = clock_seconds();
    mine.run(steps);
    if (id == rank) view.step_seconds = (clock_seconds() - began) / static_cast<double>(steps);
  });
  view.operations = watch.per_step(steps);
  view.between_seconds = view.step_seconds;
  for (const OperationTime& time : view.operations) view.between_seconds -= time.seconds;
  return view;
}

double product_flops(const Program& program) {
  double flops = 0;
  for (const program::RankList& list : program.lists)
    for (const program::Instance& instance : list.instances)
      for (const Instruction& instruction :
           program.segments[static_cast<size_t>(instance.segment)].instructions)
        if (graph::is_product(instruction.op)) flops += simulate::cost_of(instruction).flops;
  return flops * static_cast<double>(program.layout.ranks_per_stage());
}

}  // namespace pleat::cli
