// SPDX-License-Identifier: Apache-2.0
// The product itself with every set of instructions this processor has: odd sizes, both orders of both
// operands, long depths, exactly on whole numbers and within the bound of its sums otherwise; and its
// rounding of every bf16.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <new>
#include <vector>

#include "base/philox.h"
#include "kernels/cpu/product.h"
#include "kernels/cpu/tile.h"

namespace pleat::kernels::cpu {
namespace {

using base::bf16;
using base::DType;

struct Bytes {
  explicit Bytes(int64_t count)
      : size(count), data(new(std::align_val_t{64}) std::byte[static_cast<size_t>(count) + 64]()) {}
  ~Bytes() { ::operator delete[](data, std::align_val_t{64}); }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  void set(DType dtype, int64_t i, float x) const {
    dtype == DType::bf16 ? void(reinterpret_cast<bf16*>(data)[i] = bf16(x))
                         : void(reinterpret_cast<float*>(data)[i] = x);
  }
  float get(DType dtype, int64_t i) const {
    return dtype == DType::bf16 ? static_cast<float>(reinterpret_cast<bf16*>(data)[i])
                                : reinterpret_cast<float*>(data)[i];
  }
  int64_t size;
  std::byte* data;
};

struct Size {
  int64_t m, n, k;
};

struct Setup {
  DType dtype;
  Instructions limit;
  bool transpose_a, transpose_b, whole;
  DType result;
  bool add;
};

std::vector<Instructions> available() {
  std::vector<Instructions> all{Instructions::simd};
  if (best_instructions() >= Instructions::avx512_bf16) all.push_back(Instructions::avx512_bf16);
  if (best_instructions() >= Instructions::amx) all.push_back(Instructions::amx);
  return all;
}

void check(const Setup& setup, const Size& z) {
  const base::RandomStream random(3, "product", "operands");
  const auto number = [&](int64_t i) {
    const double u = random.uniform(static_cast<uint64_t>(i));
    return static_cast<float>(setup.whole ? std::floor(5 * u) - 2 : 2 * u - 1);
  };
  constexpr int64_t kApart = 3;  // rows are this much farther apart than their length
  const int64_t a_stride = (setup.transpose_a ? z.m : z.k) + kApart,
                b_stride = (setup.transpose_b ? z.k : z.n) + kApart;
  const int64_t y_stride = z.n + kApart;
  const Bytes a((setup.transpose_a ? z.k : z.m) * a_stride * 4),
      b((setup.transpose_b ? z.n : z.k) * b_stride * 4);
  const Bytes y(z.m * y_stride * 4), scratch(tile_scratch_bytes(z.m, z.n, z.k));
  const auto at_a = [&](int64_t m, int64_t k) {
    return setup.transpose_a ? k * a_stride + m : m * a_stride + k;
  };
  const auto at_b = [&](int64_t k, int64_t n) {
    return setup.transpose_b ? n * b_stride + k : k * b_stride + n;
  };
  for (int64_t m = 0; m < z.m; ++m)
    for (int64_t k = 0; k < z.k; ++k) a.set(setup.dtype, at_a(m, k), number(at_a(m, k)));
  for (int64_t k = 0; k < z.k; ++k)
    for (int64_t n = 0; n < z.n; ++n) b.set(setup.dtype, at_b(k, n), number(1000000 + at_b(k, n)));
  for (int64_t i = 0; i < z.m * y_stride; ++i) y.set(setup.result, i, 5);
  const Product product(setup.dtype, setup.limit);
  const Tile tile{{a.data, setup.dtype, a_stride, setup.transpose_a},
                  0,
                  z.m,
                  {b.data, setup.dtype, b_stride, setup.transpose_b},
                  0,
                  z.n,
                  z.k,
                  {y.data, setup.result, y_stride, setup.add}};
  compute_tile(product, tile, scratch.data);
  for (int64_t m = 0; m < z.m; ++m)
    for (int64_t n = 0; n < y_stride; ++n) {
      const float got = y.get(setup.result, m * y_stride + n);
      if (n >= z.n) {
        ASSERT_EQ(got, 5) << "written beside the result";
        continue;
      }
      double want = 0, size = 0;
      for (int64_t k = 0; k < z.k; ++k) {
        const double term = double{a.get(setup.dtype, at_a(m, k))} * b.get(setup.dtype, at_b(k, n));
        want += term;
        size += std::fabs(term);
      }
      if (setup.add) want += 5;
      const double rounded =
          setup.result == DType::bf16 ? static_cast<float>(bf16(static_cast<float>(want))) : want;
      double bound = setup.whole ? 0 : (static_cast<double>(z.k) + 2) * 0x1p-24 * (size + std::fabs(want));
      if (setup.result == DType::bf16 && !setup.whole) bound += 0x1p-7 * std::fabs(want);
      ASSERT_LE(std::fabs(got - rounded), bound)
          << "row " << m << " column " << n << ": " << got << ", not " << rounded;
    }
}

TEST(CpuProduct, IsRightForEverySetOfInstructions) {
  for (const Instructions limit : available())
    for (const DType dtype : {DType::f32, DType::bf16})
      for (const Size& z : {Size{1, 1, 1}, Size{3, 5, 7}, Size{17, 33, 31}, Size{40, 64, 64},
                            Size{39, 70, 130}, Size{130, 9, 33}, Size{5, 33, 2100}})
        for (const bool ta : {false, true})
          for (const bool tb : {false, true})
            for (const bool whole : {false, true}) {
              SCOPED_TRACE(fmt::format("{} {} {}x{}x{} {}{} {}", kInstructionNames[static_cast<int>(limit)],
                                       base::name_of(dtype), z.m, z.n, z.k, ta, tb,
                                       whole ? "whole" : "uniform"));
              check({dtype, limit, ta, tb, whole, DType::f32, false}, z);
              check({dtype, limit, ta, tb, whole, DType::f32, true}, z);
              check({dtype, limit, ta, tb, whole, dtype, false}, z);
              if (HasFatalFailure()) return;
            }
}

/// Sums of an upper half and a part of its last place round as base::bf16 does; below the normal numbers
/// products of bf16 instructions flush to zero.
TEST(CpuProduct, RoundsEveryBf16ToNearestEven) {
  for (const Instructions limit : available()) {
    const Product product(DType::bf16, limit);
    for (const uint32_t low : {0u, 0x4000u, 0x8000u, 0xc000u}) {
      constexpr int64_t kAll = 65536;
      const Bytes a(kAll * 2 * 2), b(2 * 2), y(kAll * 2), scratch(tile_scratch_bytes(kAll, 1, 2));
      std::vector<float> sums(kAll);
      for (int64_t i = 0; i < kAll; ++i) {
        const float upper = std::bit_cast<float>(static_cast<uint32_t>(i) << 16);
        const float whole = std::bit_cast<float>(static_cast<uint32_t>(i) << 16 | low);
        const float part = std::isfinite(upper) ? whole - upper : 0.0f;
        a.set(DType::bf16, 2 * i, upper);
        a.set(DType::bf16, 2 * i + 1, part);
        sums[static_cast<size_t>(i)] = std::isfinite(upper) ? whole : upper;
      }
      b.set(DType::bf16, 0, 1);
      b.set(DType::bf16, 1, 1);
      const Tile tile{{a.data, DType::bf16, 2, false}, 0, kAll, {b.data, DType::bf16, 1, false}, 0, 1, 2,
                      {y.data, DType::bf16, 1, false}};
      compute_tile(product, tile, scratch.data);
      for (int64_t i = 0; i < kAll; ++i) {
        const float sum = sums[static_cast<size_t>(i)], got = y.get(DType::bf16, i);
        if (std::isnan(sum)) {
          ASSERT_TRUE(std::isnan(got)) << i;
        } else if (std::fabs(sum) >= 0x1p-118f) {  // also the part is a normal number
          ASSERT_EQ(got, static_cast<float>(bf16(sum))) << "upper half " << i << " low " << low;
        }
      }
    }
  }
}

}  // namespace
}  // namespace pleat::kernels::cpu
