// SPDX-License-Identifier: Apache-2.0
// pleat verify: what is proved of a job's Program, what run asserts, where its bytes are.
#include "verify/verify.h"

#include <array>
#include <memory>

#include "base/errors.h"
#include "cli/commands.h"
#include "cli/host.h"
#include "cli/job_arguments.h"
#include "train/progress.h"
#include "train/request.h"

namespace pleat::cli {
namespace {

/// What the names of verify's properties stand for.
struct Meaning {
  std::string_view property, words;
};
constexpr std::array kMeanings{
    Meaning{"well-formed",
            "every reference in range, every region inside its area, operands as operations want them"},
    Meaning{"versions",
            "every byte written before it is read; sums grow in order of micro-batches; state updated under "
            "the guard"},
    Meaning{"lifetimes", "no live buffer is overwritten by another one"},
    Meaning{"order", "accesses of different queues to the same bytes are ordered by events"},
    Meaning{"channels", "sends meet receives, collectives meet each other, in order and of equal size"},
    Meaning{"progress",
            "no deadlock: by queues, with one stream per rank, and one instruction after the other"},
    Meaning{"placements", "what every value is over every mesh axis, derived anew; nothing partial goes out"},
    Meaning{"contributions",
            "every (chunk, micro-batch) forward and backward once, every gradient whole and counted once"},
};

std::string_view meaning_of(std::string_view property) {
  for (const Meaning& meaning : kMeanings)
    if (meaning.property == property) return meaning.words;
  return {};
}

int64_t instructions_of(const program::Program& program) {
  int64_t count = 0;
  for (const program::RankList& list : program.lists) count += program.instructions(list);
  return count * program.layout.ranks_per_stage();
}

void print_peaks(const program::Program& program, const verify::Report& report) {
  fmt::print("peak bytes per rank\n");
  for (const verify::Peak& peak : report.peaks) {
    const int64_t ranks = program.layout.ranks_per_stage(), first = peak.stage * ranks;
    const std::string name =
        ranks == 1 ? fmt::format("rank {}", first) : fmt::format("ranks {} to {}", first, first + ranks - 1);
    fmt::print("  {:14} {:>9} = arena {} + libraries {}\n", name, train::humanise_bytes(peak.total()),
               train::humanise_bytes(peak.arena), train::humanise_bytes(peak.allowance));
    std::string areas;
    for (size_t area = 0; area < peak.areas.size(); ++area)
      if (peak.areas[area] > 0)
        areas += fmt::format("{}{} {}", areas.empty() ? "" : ", ", program::kAreaNames[area],
                             train::humanise_bytes(peak.areas[area]));
    fmt::print("  {:14} {:>9}   {}\n", "", "", areas);
  }
}

int run(const JobArguments& arguments) {
  const config::Job job = arguments.read_complete();
  const program::Program program = compile::compile(train::train_request(job, cores()));
  const verify::Report report = verify::verify(program);
  fmt::print("{}, {}: {} instructions in a step of all {} ranks, {} segments\n", arguments.file,
             program.layout.name(), train::humanise_count(instructions_of(program)), program.layout.world(),
             program.segments.size());
  for (const verify::Issue& issue : report.issues) fmt::print("NOT {}: {}\n", issue.property, issue.text);
  fmt::print("proved, over {} steps\n", verify::Options{}.turns);
  for (const std::string& property : report.proved)
    fmt::print("  {:14} {}\n", property, meaning_of(property));
  fmt::print("asserted while running\n");
  for (const std::string& property : report.asserted) fmt::print("  {}\n", property);
  print_peaks(program, report);
  fmt::print("{}\n", report.ok() ? "verified" : "NOT verified");
  return report.ok() ? 0 : 1;
}

}  // namespace

void add_verify(Command& root) {
  Command command =
      root.command("verify", "What is proved of a job, what the run asserts, peak bytes per rank");
  const auto arguments = std::make_shared<JobArguments>();
  arguments->add_to(command);
  command.notes(
      "Exit code 1 when a property does not hold.\n\n"
      "Examples:\n"
      "  pleat verify configs/demo.yaml\n"
      "  pleat verify configs/demo.yaml layout.pp=4 layout.dp=1 layout.ep=1 schedule=gpipe");
  command.runs([arguments] { return run(*arguments); });
}

}  // namespace pleat::cli
