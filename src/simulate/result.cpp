// SPDX-License-Identifier: Apache-2.0
// From what ran to what it means: step time, bubble, peak, spans.
#include <algorithm>
#include <array>
#include <limits>
#include <tuple>

#include "simulate/engine.h"
#include "simulate/simulate.h"

namespace pleat::simulate {
namespace {

using program::Phase;
using program::Program;

bool in_pipeline(const Program& program, const Route& route, const Ran& ran) {
  if (ran.move->instruction->queue != program::Queue::compute) return false;
  const Phase phase = program.segments[route.list->instances[ran.instance].segment].phase;
  return phase == Phase::forward || phase == Phase::backward || phase == Phase::weight;
}

void add_pipeline(const Program& program, const Routes& routes, const Log& log, Result& result) {
  int64_t first = std::numeric_limits<int64_t>::max(), last = 0;
  for (const Ran& ran : log.ran) {
    if (!in_pipeline(program, routes.routes[ran.route], ran)) continue;
    first = std::min(first, ran.start_ns);
    last = std::max(last, ran.end_ns);
    result.stages[ran.route].busy_ns += ran.end_ns - ran.start_ns;
  }
  result.pipeline_ns = std::max<int64_t>(0, last - first);
  if (result.pipeline_ns == 0) return;
  for (StageResult& stage : result.stages)
    stage.bubble =
        static_cast<double>(result.pipeline_ns - stage.busy_ns) / static_cast<double>(result.pipeline_ns);
}

int64_t copy_ns(const Transfer& transfer) {
  int64_t ns = 0;
  for (const Work& work : transfer.work) ns += work.ns;
  return ns;
}

void add_work(const Routes& routes, const Log& log, const target::Target& target, Result& result) {
  std::array<OpTime, kOps> times{};
  double core_ns = 0;
  for (const Ran& ran : log.ran) {
    const Move& move = *ran.move;
    const int64_t ranks = routes.routes[ran.route].ranks;
    const int64_t ns = move.communicates ? copy_ns(move.transfer) : move.work.ns;
    OpTime& time = times[static_cast<size_t>(move.instruction->op)];
    time.calls += ranks;
    time.ns += ranks * ns;
    core_ns += static_cast<double>(ranks * ns * (move.communicates ? 1 : move.work.threads));
  }
  for (size_t op = 0; op < kOps; ++op) {
    times[op].op = static_cast<graph::Op>(op);
    if (times[op].calls > 0) result.by_operation.push_back(times[op]);
  }
  std::stable_sort(result.by_operation.begin(), result.by_operation.end(),
                   [](const OpTime& a, const OpTime& b) { return a.ns > b.ns; });
  if (result.step_ns > 0) result.core_use = core_ns / (static_cast<double>(result.step_ns) * target.cores);
}

void add_spans(const Routes& routes, const Log& log, bool all_ranks, Result& result) {
  int64_t begin = std::numeric_limits<int64_t>::max();  // receives may have been posted long before
  for (const Ran& ran : log.ran)
    if (!ran.move->communicates) begin = std::min(begin, ran.start_ns);
  for (const Ran& ran : log.ran) {
    const Route& route = routes.routes[ran.route];
    const int64_t start = std::max(ran.start_ns, std::min(begin, ran.end_ns));
    Span span{0,
              ran.move->instruction->queue,
              ran.move->label,
              route.list->instances[ran.instance].micro_batch,
              std::max<int64_t>(0, start - begin),
              ran.end_ns - start};
    for (int64_t i = 0; i < (all_ranks ? route.ranks : 1); ++i) {
      span.rank = route.rank.value + static_cast<int32_t>(i);  // the ranks of a stage are contiguous
      result.spans.push_back(span);
    }
  }
  std::stable_sort(result.spans.begin(), result.spans.end(), [](const Span& a, const Span& b) {
    return std::tie(a.rank, a.start_ns) < std::tie(b.rank, b.start_ns);
  });
}

}  // namespace

Result simulate(const Program& program, const target::Target& target, const Options& options) {
  Routes routes = make_routes(program, target, options);
  const Log log = Engine(program, routes, target, options.turns, options.order).run();
  Result result;
  result.turn_ends_ns = log.turn_ends_ns;
  const auto ended = [&](int turn) { return turn < 0 ? 0 : log.turn_ends_ns[turn]; };
  result.step_ns = ended(log.reported) - ended(log.reported - 1);
  for (const Route& route : routes.routes) {
    StageResult stage;
    stage.stage = route.list->stage;
    stage.rank = route.rank;
    stage.ranks = route.ranks;
    stage.peak_bytes = program.arena_bytes(*route.list) + program.allowance;
    result.stages.push_back(stage);
  }
  add_pipeline(program, routes, log, result);
  add_work(routes, log, target, result);
  if (options.spans) add_spans(routes, log, options.spans_of_all_ranks, result);
  result.labels = std::move(routes.labels);
  return result;
}

}  // namespace pleat::simulate
