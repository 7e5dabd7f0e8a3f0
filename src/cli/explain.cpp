// SPDX-License-Identifier: Apache-2.0
// pleat explain: which kernel serves an operation, and why not a faster one.
#include <memory>

#include "base/errors.h"
#include "cli/amount.h"
#include "cli/commands.h"
#include "cli/example_signature.h"
#include "cli/host.h"
#include "kernels/catalogue.h"
#include "kernels/cpu/product.h"
#include "simulate/cost.h"
#include "train/progress.h"

namespace pleat::cli {
namespace {

struct Arguments {
  std::string operation, dtype, shape;
  int64_t threads = cores();
};

base::DType floating_named(const std::string& name) {
  if (name == "fp32") return base::DType::f32;  // as a job's `precision` says it
  if (name == "fp64") return base::DType::f64;
  if (name == "bf16" || name == "f32" || name == "f64") return base::dtype_named(name);
  base::fail<base::JobError>("dtype '{}': choose bf16, f32 or f64", name);
}

std::string describe(const std::vector<graph::OperandType>& operands) {
  std::string text;
  for (const graph::OperandType& operand : operands)
    text += fmt::format(" {}:{}", base::name_of(operand.dtype), base::to_string(operand.shape));
  return text;
}

/// How the products inside are done on this processor.
std::string products(base::DType dtype) {
  if (dtype == base::DType::f64) return "in double";
  const kernels::cpu::Product product(dtype);
  const std::string_view instructions =
      kernels::cpu::kInstructionNames[static_cast<size_t>(product.instructions())];
  if (dtype == base::DType::bf16 && product.form() == kernels::cpu::Form::f32)
    return "in fp32: this processor has no bf16 instructions, so bf16 operands are widened first";
  return fmt::format("with {}, accumulated in fp32", instructions);
}

graph::Cost cost_of(const graph::Signature& signature) {
  program::Instruction instruction;
  instruction.op = signature.op;
  instruction.attributes = signature.attributes;
  for (const graph::OperandType& type : signature.reads) instruction.reads.push_back({{}, 0, type});
  for (const graph::OperandType& type : signature.writes) instruction.results.push_back({{{}, 0, type}, {}});
  return simulate::cost_of(instruction);
}

int run(const Arguments& arguments) {
  const base::DType dtype = floating_named(arguments.dtype);
  const graph::Signature signature = example_signature(arguments.operation, dtype, arguments.shape);
  const target::Catalogue catalogue = kernels::catalogue();
  fmt::print("{}{} ->{}\n\nrows of the catalogue, fastest first\n", arguments.operation,
             describe(signature.reads), describe(signature.writes));
  for (const target::Refusal& tried : target::explain(catalogue, signature))
    fmt::print("  {:12} {}\n", tried.kernel, tried.reason.empty() ? "chosen" : "no: " + tried.reason);
  const int threads = static_cast<int>(arguments.threads);
  const target::Choice choice = target::choose(catalogue, signature, threads);
  fmt::print("\nkernel       {}\n", choice.kernel);
  fmt::print("workspace    {} with {} threads\n", train::humanise_bytes(choice.workspace), threads);
  const graph::Cost cost = cost_of(signature);
  fmt::print("cost         {}, {} to read and write\n", amount(cost.flops, "flop"),
             train::humanise_bytes(static_cast<int64_t>(cost.bytes)));
  if (graph::is_product(signature.op))
    fmt::print("products     {}\n", choice.kernel == "ref" ? "plain loops, sums in double" : products(dtype));
  return 0;
}

}  // namespace

void add_explain(Command& root) {
  Command command = root.command("explain", "Which kernel serves an operation, and why not a faster one");
  const auto arguments = std::make_shared<Arguments>();
  command.argument("OP", arguments->operation, "the operation");
  command.argument("DTYPE", arguments->dtype, "of activations: bf16, f32 or f64");
  command.argument("SHAPE", arguments->shape, "numbers with x between them, as below");
  command.option("--threads", arguments->threads, "N", "workers of the rank", 1, 1024);
  command.notes(
      "Examples:\n"
      "  pleat explain matmul bf16 4096x7168x2048\n"
      "  pleat explain attention f32 256x4x2x32\n"
      "  pleat explain rms_norm bf16 4096x128\n"
      "\nShapes (T tokens or rows, D width, S sequence, H heads, G key-value heads, N head dim or columns, E "
      "experts,\n"
      "R expert rows, K inner dim or top-k, V vocabulary, F feed-forward width, n elements):\n" +
      example_shapes());
  command.runs([arguments] { return run(*arguments); });
}

}  // namespace pleat::cli
