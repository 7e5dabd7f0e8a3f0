// SPDX-License-Identifier: Apache-2.0
// pleat train
#include "train/train.h"

#include <memory>

#include "base/errors.h"
#include "cli/commands.h"
#include "cli/host.h"
#include "cli/job_arguments.h"

namespace pleat::cli {
namespace {

struct Arguments {
  JobArguments job;
  std::optional<int64_t> steps;
  std::optional<std::string> resume;
};

int run(const Arguments& arguments) {
  train::TrainOptions options;
  options.stop_after = arguments.steps.value_or(0);
  if (arguments.resume) options.resume = *arguments.resume;
  train::train(arguments.job.read(), options, host(stdout));
  return 0;
}

}  // namespace

void add_train(Command& root) {
  Command command = root.command("train", "Trains; everything of the run lies in run.directory");
  const auto arguments = std::make_shared<Arguments>();
  arguments->job.add_to(command);
  command.option("--steps", arguments->steps, "N",
                 "stop after step N in total, before train.steps; learning rates do not change", 1);
  command.option("--resume", arguments->resume, "RUN_DIRECTORY", "go on from its newest complete checkpoint");
  command.notes(
      "Examples:\n"
      "  pleat train configs/demo.yaml\n"
      "  pleat train configs/demo.yaml run.directory=runs/short layout.pp=1 precision=fp32 --steps 20\n"
      "  pleat train configs/demo.yaml run.directory=runs/short --resume runs/short\n"
      "\nKeys of a job:\n" +
      config::describe_keys());
  command.runs([arguments] { return run(*arguments); });
}

}  // namespace pleat::cli
