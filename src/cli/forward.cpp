// SPDX-License-Identifier: Apache-2.0
// pleat forward
#include "train/forward.h"

#include <memory>

#include "base/errors.h"
#include "cli/commands.h"
#include "cli/host.h"
#include "cli/names.h"

namespace pleat::cli {
namespace {

struct Arguments {
  std::string model, tokens, out;
  std::vector<std::string> overrides;
  bool gradients = false;
  std::string dtype = "fp32", kernels = "best";
};

constexpr std::array<std::string_view, 2> kKernelSets{"best", "ref"};

int run(const Arguments& arguments) {
  train::ForwardOptions options;
  options.model = arguments.model;
  options.layout = layout_settings(arguments.overrides);
  options.precision = precision_named(arguments.dtype);
  options.gradients = arguments.gradients;
  options.reference_kernels = arguments.kernels == "ref";
  options.cores = cores();
  const train::TokenBatch batch = train::read_tokens(arguments.tokens);
  const train::ForwardResult result = train::forward(options, batch);
  train::write_forward(arguments.out, options, batch, result);
  fmt::print("loss {:.9g}", result.loss);
  if (result.loss != result.cross_entropy)
    fmt::print(", of which cross entropy {:.9g}", result.cross_entropy);
  fmt::print(" ({} x {} tokens); written to {}\n", batch.samples, batch.sequence, arguments.out);
  return 0;
}

}  // namespace

void add_forward(Command& root) {
  Command command = root.command("forward", "Logits, loss and gradients of a Hugging Face model");
  const auto arguments = std::make_shared<Arguments>();
  command.arguments("layout.AXIS", arguments->overrides,
                    "layout.dp=2, layout.pp=2, ...: spreads the model over ranks", false);
  command.required("--model", arguments->model, "DIR", "a Hugging Face directory");
  command.required("--tokens", arguments->tokens, "IDS.safetensors", "int64 input_ids [B,S]");
  command.required("--out", arguments->out, "OUT.safetensors",
                   "gets logits [B,S,V] and loss, and grad.NAME of every parameter");
  command.flag("--gradients", arguments->gradients, "the backward too");
  command.choice("--dtype", arguments->dtype, config::kPrecisionNames, "of activations and products");
  command.choice("--kernels", arguments->kernels, kKernelSets, "the fastest that serve, or the reference");
  command.notes(
      "The batch is one micro-batch of B/dp samples on each data-parallel rank; auxiliary losses are pooled "
      "over all.\n\n"
      "Examples:\n"
      "  pleat forward --model runs/demo/final --tokens ids.safetensors --out out.safetensors\n"
      "  pleat forward --model DIR --tokens ids.safetensors --out out.safetensors --gradients --dtype fp64\n"
      "  pleat forward --model DIR --tokens ids.safetensors --out out.safetensors layout.dp=4 layout.ep=2");
  command.runs([arguments] { return run(*arguments); });
}

}  // namespace pleat::cli
