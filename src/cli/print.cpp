// SPDX-License-Identifier: Apache-2.0
// pleat print: the job, its layout, the draft after a pass, the Program, or one rank's instructions.
#include <cstdio>
#include <memory>

#include "base/errors.h"
#include "cli/commands.h"
#include "cli/host.h"
#include "cli/job_arguments.h"
#include "cli/listing.h"
#include "cli/names.h"
#include "compile/compile.h"
#include "layout/text.h"
#include "train/request.h"

namespace pleat::cli {
namespace {

struct Arguments {
  JobArguments job;
  std::optional<int64_t> rank;
  std::string after;
  bool expand = false, only_job = false, only_layout = false;
};

void check(const Arguments& arguments) {
  const int whats = int{arguments.only_job} + int{arguments.only_layout} + int{!arguments.after.empty()} +
                    int{arguments.expand};
  if (whats > 1)
    base::fail<base::JobError>("--job, --layout, --after and --expand ask for different things: choose one");
  if (arguments.rank && (arguments.only_job || arguments.only_layout))
    base::fail<base::JobError>("--rank {}: {} is the same for every rank, leave one of both out",
                               *arguments.rank, arguments.only_job ? "--job" : "--layout");
}

/// Compiles only what the rank needs.
compile::Request request_of(const Arguments& arguments) {
  compile::Request request = train::train_request(arguments.job.read_complete(), cores());
  if (arguments.rank) request.only_stage = request.layout.stage_of(rank_of(*arguments.rank, request.layout));
  return request;
}

std::string text_of(Arguments arguments) {
  if (arguments.only_job) return config::print_job(arguments.job.read_complete());
  if (arguments.only_layout) {  // also of axes that have no operations yet
    const config::Job job = arguments.job.read_complete();
    return layout::to_text(train::layout_of(job.layout, job.where("layout.ep")), job.model.num_hidden_layers);
  }
  if (arguments.expand && !arguments.rank) arguments.rank = 0;
  const compile::Request request = request_of(arguments);
  if (!arguments.after.empty()) return compile::print_after(request, arguments.after);
  const program::Program program = compile::compile(request);
  return arguments.expand ? listing(program, base::Rank(*arguments.rank)) : program::to_text(program);
}

int run(const Arguments& arguments) {
  check(arguments);
  const std::string text = text_of(arguments);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

}  // namespace

void add_print(Command& root) {
  Command command = root.command("print", "The Program of a job as text");
  const auto arguments = std::make_shared<Arguments>();
  arguments->job.add_to(command);
  command.option("--rank", arguments->rank, "R", "only what this rank executes", 0);
  command.option("--after", arguments->after, "PASS", "what the draft looks like after a pass");
  command.flag("--expand", arguments->expand,
               "the flat instruction list of the rank (0), with its events and peers");
  command.flag("--job", arguments->only_job, "the job with every key and default instead");
  command.flag("--layout", arguments->only_layout,
               "the two meshes, the coordinates of each rank, groups and layers instead");
  command.notes(
      fmt::format("The passes, in order: {}\n\n"
                  "Examples:\n"
                  "  pleat print configs/demo.yaml --rank 1\n"
                  "  pleat print configs/demo.yaml --after transfers --rank 0\n"
                  "  pleat print configs/demo.yaml --rank 3 --expand\n"
                  "  pleat print configs/demo.yaml layout.pp=4 layout.dp=1 layout.ep=1 --job\n"
                  "  pleat print configs/demo.yaml layout.tp=2 layout.etp=2 --layout",
                  fmt::join(compile::pass_names(), ", ")));
  command.runs([arguments] { return run(*arguments); });
}

}  // namespace pleat::cli
