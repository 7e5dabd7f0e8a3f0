// SPDX-License-Identifier: Apache-2.0
// pleat bench: where the time of a job goes, from compiling it to a table of its step by operation.
#include <algorithm>
#include <memory>
#include <numeric>

#include "base/errors.h"
#include "cli/amount.h"
#include "cli/bench_run.h"
#include "cli/commands.h"
#include "cli/host.h"
#include "cli/job_arguments.h"
#include "cli/listing.h"
#include "cli/names.h"
#include "train/measure.h"
#include "train/progress.h"
#include "train/report_scale.h"
#include "train/request.h"

namespace pleat::cli {
namespace {

struct Arguments {
  JobArguments job;
  int64_t steps = 9;
  std::optional<int64_t> rank;
  bool compile_only = false;
};

constexpr double kMs = 1e3;
constexpr double kScaling = 1.8;  // of peak over cores: below, the cores are not ours alone
constexpr double kProductSeconds = 0.1;
constexpr train::ProductSize kProduct{2048, 3072, 768};  // as in bench/kernels/products.cpp

program::Program compile_and_tell(const compile::Request& request) {
  std::vector<compile::PassTime> times;
  program::Program program = compile::compile_timed(request, clock_seconds, times);
  const double total =
      std::accumulate(times.begin(), times.end(), 0.0,
                      [](double sum, const compile::PassTime& time) { return sum + time.seconds; });
  std::string passes;
  for (const compile::PassTime& time : times)
    passes += fmt::format("{}{} {:.1f}", passes.empty() ? "" : ", ", time.pass, kMs * time.seconds);
  fmt::print("compile      {:.1f} ms: {}\n", kMs * total, passes);
  return program;
}

void expand_and_tell(const program::Program& program, base::Rank rank) {
  const double began = clock_seconds();
  const size_t instructions = expand(program, rank).size();
  fmt::print("expansion    {:.1f} ms: {} instructions of rank {}\n", kMs * (clock_seconds() - began),
             train::humanise_count(static_cast<int64_t>(instructions)), rank.value);
}

/// Steps and the best product of their dtype in turns, so that the machine's moods hit both.
class Utilisation {
 public:
  Utilisation(base::DType dtype, double flops)
      : dtype_(dtype),
        flops_(flops),
        all_(host_, dtype, kProduct, cores()),
        one_(host_, dtype, kProduct, 1) {}

  void round(double step_seconds) {
    const double rate = all_.mean_rate(std::max(step_seconds, kProductSeconds));
    rates_.push_back(rate);
    scaling_.push_back(rate / one_.mean_rate(kProductSeconds));
    shares_.push_back(flops_ / (step_seconds * rate));
  }

  void tell() const {
    const double peak = train::median(scaling_);
    fmt::print(
        "utilisation  {:.1f} % of the best {} product on {} cores ({}x{}x{}: {}), the median of {} in turns: "
        "{} a step\n",
        100 * train::median(shares_), base::name_of(dtype_), cores(), kProduct.m, kProduct.n, kProduct.k,
        amount(train::median(rates_), "flop/s"), shares_.size(), amount(flops_, "flop"));
    fmt::print("machine      peak({})/peak(1) = {:.2f}{}\n", cores(), peak,
               peak < kScaling / 2 * cores() ? ": the cores are shared, do not use these figures" : "");
  }

 private:
  train::Host host_ = host(stderr);
  base::DType dtype_;
  double flops_;
  train::ProductTimer all_, one_;
  std::vector<double> rates_, scaling_, shares_;
};

void tell_steps(const config::Job& job, const program::Program& program, int64_t steps) {
  const base::DType dtype = train::dtypes_of(job.precision).activation;
  std::optional<Utilisation> utilisation;
  if (dtype != base::DType::f64) utilisation.emplace(dtype, product_flops(program));  // f64: the reference's
  const Measured measured = measure_steps(job, program, steps, [&](double seconds) {
    if (utilisation) utilisation->round(seconds);
  });
  const double step = train::median(measured.steps);
  const auto tokens = static_cast<double>(job.train.global_batch * job.train.sequence);
  fmt::print("bind         {:.1f} ms for {} ranks of {} threads, initial weights {:.1f} ms\n",
             kMs * measured.bind_seconds, program.layout.world(), program.threads,
             kMs * measured.weights_seconds);
  fmt::print("step         {:.2f} ms, the median of {} ({})\n", kMs * step, measured.steps.size(),
             config::name_of(job.run.executor));
  fmt::print("speed        {} tokens/s\n", train::humanise_count(static_cast<int64_t>(tokens / step)));
  if (utilisation) utilisation->tell();
}

void tell_operations(const View& view, base::Rank rank) {
  const auto share = [&](double seconds) { return 100 * seconds / view.step_seconds; };
  fmt::print(
      "\nthe step of rank {} by operation, one instruction after the other ({:.2f} ms); communications "
      "include "
      "waiting\n",
      rank.value, kMs * view.step_seconds);
  fmt::print("  {:22} {:>6} {:>10} {:>8} {:>10} {:>8}\n", "operation", "calls", "ms", "share", "Gflop/s",
             "GB/s");
  for (const OperationTime& time : view.operations) {
    const bool counted = time.bytes > 0 && time.seconds > 0;
    fmt::print("  {:22} {:6} {:10.3f} {:6.1f} % {:>10} {:>8}\n", graph::name_of(time.op), time.calls,
               kMs * time.seconds, share(time.seconds),
               counted ? fmt::format("{:.1f}", 1e-9 * time.flops / time.seconds) : "",
               counted ? fmt::format("{:.1f}", 1e-9 * time.bytes / time.seconds) : "");
  }
  fmt::print("  {:22} {:6} {:10.3f} {:6.1f} %\n", "between instructions", "", kMs * view.between_seconds,
             share(view.between_seconds));
  fmt::print("  {:22} {:6} {:10.3f} {:6.1f} %\n", "sum", "", kMs * view.step_seconds, 100.0);
}

int run(const Arguments& arguments) {
  const config::Job job = arguments.job.read_complete();
  compile::Request request = train::train_request(job, cores());
  const base::Rank rank = rank_of(arguments.rank.value_or(0), request.layout);
  if (arguments.compile_only && arguments.rank) request.only_stage = request.layout.stage_of(rank);
  const program::Program program = compile_and_tell(request);
  expand_and_tell(program, rank);
  if (arguments.compile_only) return 0;
  std::fflush(stdout);
  tell_steps(job, program, arguments.steps);
  std::fflush(stdout);
  tell_operations(measure_operations(job, program, rank, arguments.steps), rank);
  return 0;
}

}  // namespace

void add_bench(Command& root) {
  Command command =
      root.command("bench", "Where the time of a job goes: compile, bind, and the step by operation");
  const auto arguments = std::make_shared<Arguments>();
  arguments->job.add_to(command);
  command.option("--steps", arguments->steps, "N", "how many to measure, after one that warms up", 1);
  command.option("--rank", arguments->rank, "R", "whose step the table shows; without it rank 0", 0);
  command.flag("--compile-only", arguments->compile_only,
               "runs nothing; with --rank compiles what that rank executes and no other stage");
  command.notes(
      "Runs on random tokens and needs no data. The kernels beside the hardware's limits are in bench/.\n\n"
      "Examples:\n"
      "  pleat bench configs/demo.yaml\n"
      "  pleat bench configs/demo.yaml layout.pp=1 layout.dp=1 layout.ep=1 --steps 10\n"
      "  pleat bench configs/bench/moe-61l.yaml --compile-only --rank 17");
  command.runs([arguments] { return run(*arguments); });
}

}  // namespace pleat::cli
