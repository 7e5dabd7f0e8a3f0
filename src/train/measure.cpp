// SPDX-License-Identifier: Apache-2.0
#include "train/measure.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "graph/signature.h"
#include "kernels/catalogue.h"
#include "kernels/kernel.h"

namespace pleat::train {
namespace {

using base::DType;
using graph::OperandType;

constexpr int64_t kSide = 512;
constexpr size_t kCopyBytes = size_t{32} << 20;  // beyond the caches of one core
constexpr int kRounds = 5;

/// The best of a few rounds: what the machine can do, not what else it did meanwhile.
template <class Body>
double best_seconds(const Host& host, Body&& body) {
  double best = std::numeric_limits<double>::max();
  for (int round = 0; round < kRounds; ++round) {
    const double began = host.clock();
    body();
    best = std::min(best, host.clock() - began);
  }
  return best;
}

double product_rate(const Host& host, DType dtype) {
  const OperandType square = OperandType::dense(dtype, {kSide, kSide});
  const graph::Signature signature{
      graph::Op::matmul,
      {{"transpose_a", int64_t{0}}, {"transpose_b", int64_t{1}}, {"to", std::string(base::name_of(dtype))}},
      {square, square},
      {square},
      0};
  const target::Choice choice = target::choose(kernels::catalogue(), signature, 1);
  const auto kernel = kernels::bind(choice.kernel, signature, choice.workspace, 1);
  const size_t bytes = static_cast<size_t>(square.bytes());
  std::vector<std::byte> memory(3 * bytes + static_cast<size_t>(choice.workspace) + 64);
  std::byte* start = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
  std::byte* const reads[] = {start, start + bytes};
  std::byte* const writes[] = {start + 2 * bytes};
  kernels::Team team(1);
  const kernels::Call call{reads, writes, start + 3 * bytes, true};
  const double seconds = best_seconds(host, [&] { kernel->run(call, team); });
  return 2.0 * kSide * kSide * kSide / seconds;
}

/// Bytes read and written per second by `workers` that each copy an area of their own.
double copy_rate(const Host& host, int workers) {
  std::vector<std::byte> from(kCopyBytes * static_cast<size_t>(workers)), to(from.size());
  kernels::Team team(workers);
  const double seconds = best_seconds(host, [&] {
    team.run(workers, [&](int64_t i, int) {
      std::memcpy(to.data() + static_cast<size_t>(i) * kCopyBytes,
                  from.data() + static_cast<size_t>(i) * kCopyBytes, kCopyBytes);
    });
  });
  return 2.0 * static_cast<double>(from.size()) / seconds;
}

}  // namespace

target::Target measure_target(const Host& host) {
  target::Target target;
  target.name = host.name;
  target.cores = host.cores;
  target.flops_f32 = product_rate(host, DType::f32);
  target.flops_bf16 = product_rate(host, DType::bf16);
  target.core_bandwidth = copy_rate(host, 1);
  target.memory_bandwidth = std::max(target.core_bandwidth, copy_rate(host, host.cores));
  return target;
}

}  // namespace pleat::train
