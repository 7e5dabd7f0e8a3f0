// SPDX-License-Identifier: Apache-2.0
// pleat simulate: how long a job's step takes on this machine, who waits, how much memory it needs; nothing
// is run.
#include "simulate/simulate.h"

#include <memory>

#include "base/errors.h"
#include "base/file.h"
#include "cli/amount.h"
#include "cli/commands.h"
#include "cli/host.h"
#include "cli/job_arguments.h"
#include "train/measure.h"
#include "train/progress.h"
#include "train/request.h"

namespace pleat::cli {
namespace {

struct Arguments {
  JobArguments job;
  std::string trace;
};

constexpr double kNs = 1e-9, kMsPerNs = 1e-6;

double ms(int64_t ns) {
  return static_cast<double>(ns) * kMsPerNs;
}

void print_target(const target::Target& target) {
  fmt::print("target       {}: {} cores; of one core {} in fp32, {} in bf16, {}/s; of all {}/s\n",
             target.name, target.cores, amount(target.flops_f32, "flop/s"),
             amount(target.flops_bf16, "flop/s"),
             train::humanise_bytes(static_cast<int64_t>(target.core_bandwidth)),
             train::humanise_bytes(static_cast<int64_t>(target.memory_bandwidth)));
}

void print_stages(const simulate::Result& result) {
  fmt::print("\n  stage  ranks  bubble   forward and backward   peak of a rank\n");
  for (const simulate::StageResult& stage : result.stages)
    fmt::print("  {:5}  {:5}  {:4.1f} %  {:17.2f} ms  {:>15}\n", stage.stage, stage.ranks, 100 * stage.bubble,
               ms(stage.busy_ns), train::humanise_bytes(stage.peak_bytes));
}

void print_operations(const simulate::Result& result) {
  constexpr size_t kMost = 12;
  int64_t total = 0;
  for (const simulate::OpTime& time : result.by_operation) total += time.ns;
  fmt::print("\n  operation             calls   alone on the machine\n");
  for (size_t i = 0; i < std::min(kMost, result.by_operation.size()); ++i) {
    const simulate::OpTime& time = result.by_operation[i];
    fmt::print("  {:20} {:6}  {:9.2f} ms  {:4.1f} %\n", graph::name_of(time.op), time.calls, ms(time.ns),
               100.0 * static_cast<double>(time.ns) / static_cast<double>(std::max<int64_t>(1, total)));
  }
}

int run(const Arguments& arguments) {
  const config::Job job = arguments.job.read_complete();
  const program::Program program = compile::compile(train::train_request(job, cores()));
  const target::Target target = train::measure_target(host(stderr));
  simulate::Options options;
  options.order = train::order_of(job);
  options.spans = !arguments.trace.empty();
  options.spans_of_all_ranks = true;
  const simulate::Result result = simulate::simulate(program, target, options);
  const double seconds = static_cast<double>(result.step_ns) * kNs;
  const auto tokens = static_cast<double>(job.train.global_batch * job.train.sequence);
  fmt::print("layout       {}, {} threads each\n", program.layout.name(), program.threads);
  print_target(target);
  fmt::print("step         {:.2f} ms, {} tokens/s; cores in use {:.0f} %\n", 1e3 * seconds,
             train::humanise_count(static_cast<int64_t>(tokens / seconds)), 100 * result.core_use);
  fmt::print("pipeline     {:.2f} ms from the first forward to the last backward\n", ms(result.pipeline_ns));
  print_stages(result);
  print_operations(result);
  if (arguments.trace.empty()) return 0;
  base::write_text(arguments.trace, simulate::trace_json(result));
  fmt::print("\n{}: open it in https://ui.perfetto.dev\n", arguments.trace);
  return 0;
}

}  // namespace

void add_simulate(Command& root) {
  Command command =
      root.command("simulate", "Step time, pipeline bubble and peak memory on this machine, without a run");
  const auto arguments = std::make_shared<Arguments>();
  arguments->job.add_to(command);
  command.option("--trace", arguments->trace, "OUT.json", "writes the step of every rank for Perfetto");
  command.notes(
      "Examples:\n"
      "  pleat simulate configs/demo.yaml --trace build/trace.json\n"
      "  pleat simulate configs/demo.yaml layout.pp=4 layout.dp=1 layout.ep=1 schedule=gpipe");
  command.runs([arguments] { return run(*arguments); });
}

}  // namespace pleat::cli
