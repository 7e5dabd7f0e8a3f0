// SPDX-License-Identifier: Apache-2.0
// What every reference kernel is made of: a body of plain loops over views. Factories read attributes when
// binding; bodies see operands in the order of docs/operations.md, already checked against the contract
// (contract.h).
#pragma once
#include <array>
#include <functional>
#include <memory>
#include <span>

#include "kernels/kernel.h"
#include "tensor/view.h"

namespace pleat::kernels::ref {

using tensor::View;

/// A result: stored, or added to what is there where the instruction accumulates and this is not the first
/// call.
struct Result : View {
  bool accumulate = false;
  /// Once per element and call, with the whole contribution.
  void put(int64_t row, int64_t column, double value) const {
    accumulate ? add(row, column, value) : set(row, column, value);
  }
  void put(int64_t row, double value) const { put(row, 0, value); }
};

struct Operands {
  static constexpr size_t kMaxReads = 8;
  static constexpr size_t kMaxWrites = 4;
  std::array<View, kMaxReads> in;
  std::array<Result, kMaxWrites> out;
  std::span<double> scratch;
};

using Body = std::function<void(const Operands&)>;

/// A kernel that runs `body` on the calling thread. `scratch` doubles are kept with the kernel, so one bound
/// kernel is for one thread at a time.
std::unique_ptr<Kernel> kernel(const graph::Signature& signature, Body body, int64_t scratch = 0);

}  // namespace pleat::kernels::ref
