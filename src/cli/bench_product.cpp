// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_product.h"

#include <algorithm>
#include <limits>

#include "base/errors.h"
#include "cli/host.h"
#include "kernels/catalogue.h"
#include "kernels/kernel.h"
#include "tensor/arena.h"

namespace pleat::cli {
namespace {

graph::Signature signature_of(base::DType dtype) {
  const auto matrix = [&](int64_t rows, int64_t columns) {
    return graph::OperandType::dense(dtype, {rows, columns});
  };
  return {
      graph::Op::matmul,
      {{"transpose_a", int64_t{0}}, {"transpose_b", int64_t{1}}, {"to", std::string(base::name_of(dtype))}},
      {matrix(kBenchM, kBenchK), matrix(kBenchN, kBenchK)},
      {matrix(kBenchM, kBenchN)},
      0};
}

}  // namespace

double best_product_rate(base::DType dtype, int threads, double seconds) {
  const graph::Signature signature = signature_of(dtype);
  const target::Choice choice = target::choose(kernels::catalogue(), signature, threads);
  const auto kernel = kernels::bind(choice.kernel, signature, choice.workspace, threads);
  const int64_t a = signature.reads[0].bytes(), b = signature.reads[1].bytes(),
                y = signature.writes[0].bytes();
  tensor::Arena arena(a + b + y +
                      choice.workspace);  // all multiples of 64; its pattern is a small finite number
  std::byte* const reads[] = {arena.data(), arena.data() + a};
  std::byte* const writes[] = {arena.data() + a + b};
  kernels::Team team(threads);
  double best = std::numeric_limits<double>::max();
  for (const double end = clock_seconds() + seconds; clock_seconds() < end;) {
    const double began = clock_seconds();
    kernel->run({reads, writes, arena.data() + a + b + y, true}, team);
    best = std::min(best, clock_seconds() - began);
  }
  return 2.0 * kBenchM * kBenchK * kBenchN / best;
}

}  // namespace pleat::cli
