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

/// Where in the arena the reads, the result (2) and the workspace (3) lie.
int64_t place_of(const graph::Signature& s, int which) {
  const int64_t sizes[] = {s.reads[0].bytes(), s.reads[1].bytes(), s.writes[0].bytes()};
  int64_t place = 0;
  for (int i = 0; i < which; ++i) place += (sizes[i] + 63) / 64 * 64;
  return place;
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

ProductTimer::ProductTimer(const Host& host, DType dtype, const ProductSize& size, int threads)
    : host_(host),
      flops_(2.0 * static_cast<double>(size.m * size.n * size.k)),
      signature_(signature_of(dtype, size)),
      choice_(target::choose(kernels::catalogue(), signature_, threads)),
      kernel_(kernels::bind(choice_.kernel, signature_, choice_.workspace, threads)),
      arena_(place_of(signature_, 3) + choice_.workspace),
      team_(threads) {}

void ProductTimer::multiply() {
  std::byte* const reads[] = {arena_.data(), arena_.data() + place_of(signature_, 1)};
  std::byte* const writes[] = {arena_.data() + place_of(signature_, 2)};
  kernel_->run({reads, writes, arena_.data() + place_of(signature_, 3), true}, team_);
}

double ProductTimer::best_rate() {
  return flops_ / best_seconds(host_, [&] { multiply(); });
}

double ProductTimer::mean_rate(double seconds) {
  const double began = host_.clock();
  double now = began;
  int64_t calls = 0;
  do {
    multiply();
    ++calls;
    now = host_.clock();
  } while (now < began + seconds);
  return flops_ * static_cast<double>(calls) / (now - began);
}

target::Target measure_target(const Host& host) {
  target::Target target;
  target.name = host.name;
  target.cores = host.cores;
  target.flops_f32 = ProductTimer(host, DType::f32, kProduct, 1).best_rate();
  target.flops_bf16 = ProductTimer(host, DType::bf16, kProduct, 1).best_rate();
  target.core_bandwidth = copy_rate(host, 1);
  target.memory_bandwidth = std::max(target.core_bandwidth, copy_rate(host, host.cores));
  return target;
}

}  // namespace pleat::train
