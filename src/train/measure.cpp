// SPDX-License-Identifier: Apache-2.0
#include "train/measure.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "graph/signature.h"
#include "kernels/catalogue.h"
#include "kernels/kernel.h"
#include "tensor/arena.h"

namespace pleat::train {
namespace {

using base::DType;
using graph::OperandType;

constexpr ProductSize kProduct{512, 512, 512};
constexpr size_t kCopyBytes = size_t{32} << 20;  // beyond the caches of one core
constexpr int kRounds = 5;

/// The best of a few rounds, and of those in `seconds`: what the machine can do, not what else it did
/// meanwhile.
template <class Body>
double best_seconds(const Host& host, double seconds, Body&& body) {
  double best = std::numeric_limits<double>::max();
  const double end = host.clock() + seconds;
  for (int round = 0; round < kRounds || host.clock() < end; ++round) {
    const double began = host.clock();
    body();
    best = std::min(best, host.clock() - began);
  }
  return best;
}

graph::Signature signature_of(DType dtype, const ProductSize& size) {
  const auto matrix = [&](int64_t rows, int64_t columns) {
    return OperandType::dense(dtype, {rows, columns});
  };
  return {
      graph::Op::matmul,
      {{"transpose_a", int64_t{0}}, {"transpose_b", int64_t{1}}, {"to", std::string(base::name_of(dtype))}},
      {matrix(size.m, size.k), matrix(size.n, size.k)},
      {matrix(size.m, size.n)},
      0};
}

/// Bytes read and written per second by `workers` that each copy an area of their own.
double copy_rate(const Host& host, int workers) {
  std::vector<std::byte> from(kCopyBytes * static_cast<size_t>(workers)), to(from.size());
  kernels::Team team(workers);
  const double seconds = best_seconds(host, 0, [&] {
    team.run(workers, [&](int64_t i, int) {
      std::memcpy(to.data() + static_cast<size_t>(i) * kCopyBytes,
                  from.data() + static_cast<size_t>(i) * kCopyBytes, kCopyBytes);
    });
  });
  return 2.0 * static_cast<double>(from.size()) / seconds;
}

}  // namespace

double product_rate(const Host& host, DType dtype, const ProductSize& size, int threads, double seconds) {
  const graph::Signature signature = signature_of(dtype, size);
  const target::Choice choice = target::choose(kernels::catalogue(), signature, threads);
  const auto kernel = kernels::bind(choice.kernel, signature, choice.workspace, threads);
  const auto place = [](int64_t bytes) { return (bytes + 63) / 64 * 64; };
  const int64_t b = place(signature.reads[0].bytes()), y = b + place(signature.reads[1].bytes()),
                workspace = y + place(signature.writes[0].bytes());
  const tensor::Arena arena(workspace + choice.workspace);  // its pattern is a small finite number
  std::byte* const reads[] = {arena.data(), arena.data() + b};
  std::byte* const writes[] = {arena.data() + y};
  kernels::Team team(threads);
  const kernels::Call call{reads, writes, arena.data() + workspace, true};
  const double best = best_seconds(host, seconds, [&] { kernel->run(call, team); });
  return 2.0 * static_cast<double>(size.m * size.n * size.k) / best;
}

target::Target measure_target(const Host& host) {
  target::Target target;
  target.name = host.name;
  target.cores = host.cores;
  target.flops_f32 = product_rate(host, DType::f32, kProduct, 1);
  target.flops_bf16 = product_rate(host, DType::bf16, kProduct, 1);
  target.core_bandwidth = copy_rate(host, 1);
  target.memory_bandwidth = std::max(target.core_bandwidth, copy_rate(host, host.cores));
  return target;
}

}  // namespace pleat::train
