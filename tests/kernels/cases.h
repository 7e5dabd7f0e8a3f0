// SPDX-License-Identifier: Apache-2.0
// The cases every implementation of a kernel is tried on: for each operation a few small, odd-sized
// signatures in each dtype, and operands that make sense for it. The meaning of a case is what the kernel
// "ref" answers.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "graph/signature.h"
#include "kernels/kernel.h"
#include "kernels/team.h"
#include "tensor/view.h"

namespace pleat::kernels::testing {

/// An operand with memory of its own, 64-byte aligned. Bytes between its rows hold a pattern that nobody may
/// change.
class Buffer {
 public:
  explicit Buffer(const graph::OperandType& type);
  Buffer(const Buffer& other);
  Buffer(Buffer&&) = default;
  Buffer& operator=(Buffer&&) = default;
  Buffer& operator=(const Buffer& other) { return *this = Buffer(other); }

  const graph::OperandType& type() const { return type_; }
  std::byte* data() const { return data_.get(); }
  tensor::View view() const { return {data(), type_.dtype, type_.shape, type_.row_stride}; }
  /// The elements, row by row.
  std::vector<double> numbers() const;
  /// True when the bytes between the rows and past the end are as they were made.
  bool surroundings_intact() const;

 private:
  struct Free {
    void operator()(std::byte* data) const;
  };
  graph::OperandType type_;
  int64_t allocated_ = 0;
  std::unique_ptr<std::byte, Free> data_;
};

struct Operands {
  std::vector<Buffer> reads;
  std::vector<Buffer> writes;  // begin as kUntouched, except where the operation updates them
};

/// Of a signature's types, not filled.
Operands empty_operands(const graph::Signature& signature);

/// What results hold before a kernel runs: exact in every dtype, so rows that must not be written are
/// recognised.
inline constexpr double kUntouched = -77;

enum class Fill {
  uniform,   // floating operands uniform in (-1, 1)
  integers,  // small whole numbers: sums of their products are exact in fp32, so results compare with ==
};

struct Case {
  std::string name;  // "rms_norm 5x3x7 bf16 strided"
  graph::Signature signature;
  /// Replaces the floating numbers and zeros that `reads` already hold where the operation needs more: ids, a
  /// route, the forward's own results.
  std::function<void(Operands&)> complete;
};

/// Every computing operation, in the order of graph::Op; built once.
const std::vector<Case>& cases();

/// The same operands on every call and every machine.
Operands operands_of(const Case& test_case, Fill fill = Fill::uniform);

/// Binds the kernel of that name and runs it once on the operands.
void run_kernel(std::string_view kernel, const graph::Signature& signature, Operands& operands, Team& team,
                bool first = true, int64_t workspace_bytes = 0);

}  // namespace pleat::kernels::testing
