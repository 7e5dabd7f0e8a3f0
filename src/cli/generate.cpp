// SPDX-License-Identifier: Apache-2.0
// pleat generate: the prompt and its continuation on stdout, byte by byte on a terminal.
#include "train/generate.h"

#include <limits>
#include <memory>
#include <utility>

#include "base/errors.h"
#include "cli/commands.h"
#include "cli/host.h"
#include "cli/names.h"

namespace pleat::cli {
namespace {

struct Arguments {
  std::string model;
  train::GenerateOptions options;
  int64_t seed = 1;
  std::optional<int64_t> window;
  std::string dtype = "fp32";
};

int run(const Arguments& arguments) {
  train::GenerateOptions options = arguments.options;
  options.model = arguments.model;
  options.seed = static_cast<uint64_t>(arguments.seed);
  options.window = arguments.window.value_or(0);
  options.precision = precision_named(arguments.dtype);
  const train::Host words = host(stdout);
  bool begun = false;  // what fails before the first byte writes nothing
  const auto say = [&](char byte) {
    if (!std::exchange(begun, true)) words.say(options.prompt);
    words.say(std::string_view(&byte, 1));
  };
  train::generate(options, host(stderr), say);
  words.say("\n");
  return 0;
}

}  // namespace

void add_generate(Command& root) {
  Command command = root.command("generate", "Continues a text");
  const auto arguments = std::make_shared<Arguments>();
  train::GenerateOptions& options = arguments->options;
  command.required("--model", arguments->model, "DIR", "a Hugging Face directory");
  command.required("--prompt", options.prompt, "TEXT", "what to continue");
  command.option("--tokens", options.tokens, "N", "how many to add", 1);
  command.option("--temperature", options.temperature, "T", "0: always the likeliest token", 0, 100);
  command.option("--top-p", options.top_p, "P",
                 "choose among the likeliest tokens that have this much together", 0, 1);
  command.option("--seed", arguments->seed, "N", "of the choices", 0, std::numeric_limits<int64_t>::max());
  command.option("--window", arguments->window, "N",
                 "tokens that the model looks back; without it what it has, at most 256", 1);
  command.choice("--dtype", arguments->dtype, config::kPrecisionNames, "of activations and products");
  command.notes(
      "Examples:\n"
      "  pleat generate --model runs/demo/final --prompt \"The list \"\n"
      "  pleat generate --model runs/demo/final --prompt \"def \" --temperature 0.8 --top-p 0.95 --seed 3");
  command.runs([arguments] { return run(*arguments); });
}

}  // namespace pleat::cli
