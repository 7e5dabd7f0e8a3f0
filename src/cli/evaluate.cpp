// SPDX-License-Identifier: Apache-2.0
// pleat evaluate
#include "train/evaluate.h"

#include <memory>

#include "base/errors.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/host.h"
#include "cli/names.h"
#include "train/run_report.h"

namespace pleat::cli {
namespace {

struct Arguments {
  std::string model, data, out;
  std::optional<int64_t> sequence;
  std::string dtype = "bf16";
};

int run(const Arguments& arguments) {
  train::EvaluateOptions options;
  options.model = arguments.model;
  options.data = arguments.data;
  options.sequence = arguments.sequence.value_or(0);
  options.precision = precision_named(arguments.dtype);
  const train::Evaluation evaluation = train::evaluate(options, host(stderr));
  if (!arguments.out.empty()) base::write_text(arguments.out, train::evaluation_text(evaluation));
  fmt::print("{}", train::to_text(evaluation));
  return 0;
}

}  // namespace

void add_evaluate(Command& root) {
  Command command = root.command("evaluate", "The cross entropy of a model over a token file");
  const auto arguments = std::make_shared<Arguments>();
  command.required("--model", arguments->model, "DIR", "a Hugging Face directory");
  command.required("--data", arguments->data, "PREFIX",
                   "PREFIX.bin and PREFIX.idx, as pleat data tokenize writes them");
  command.option("--sequence", arguments->sequence, "N",
                 "tokens of a window; without it what the model has, at most 256", 1);
  command.choice("--dtype", arguments->dtype, config::kPrecisionNames, "of activations and products");
  command.option("--out", arguments->out, "FILE.json",
                 "writes the numbers; named RUN/held_out.json they become part of the run's report");
  command.notes(
      "Every token is counted once. A token that nothing precedes costs log2(vocabulary) bits.\n\n"
      "Examples:\n"
      "  pleat evaluate --model runs/demo/final --data runs/demo-data/held_out\n"
      "  pleat evaluate --model runs/demo/final --data runs/demo-data/held_out --out "
      "runs/demo/held_out.json");
  command.runs([arguments] { return run(*arguments); });
}

}  // namespace pleat::cli
