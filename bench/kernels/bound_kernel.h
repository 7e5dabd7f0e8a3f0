// SPDX-License-Identifier: Apache-2.0
// A kernel of the catalogue bound to operands of its own, filled with numbers in (-1, 1).
#pragma once
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "kernels/cpu/cpu.h"
#include "kernels/kernel.h"

namespace pleat::bench {

class Memory {
 public:
  explicit Memory(int64_t bytes)
      : data_(
            static_cast<std::byte*>(::operator new(static_cast<size_t>(bytes) + 64, std::align_val_t{64}))) {
    std::memset(data(), 0, static_cast<size_t>(bytes));
  }
  std::byte* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(std::byte* p) const { ::operator delete(p, std::align_val_t{64}); }
  };
  std::unique_ptr<std::byte, Free> data_;
};

inline void fill(const graph::OperandType& type, std::byte* data) {
  for (int64_t i = 0; i < type.shape.elements(); ++i) {
    const float x = static_cast<float>(static_cast<uint32_t>(i) * 2654435761u >> 8) * 0x1p-23f - 1;
    if (type.dtype == base::DType::f32) reinterpret_cast<float*>(data)[i] = x;
    if (type.dtype == base::DType::f64) reinterpret_cast<double*>(data)[i] = 1;
    if (type.dtype == base::DType::bf16) reinterpret_cast<base::bf16*>(data)[i] = base::bf16(x);
  }
}

class BoundKernel {
 public:
  BoundKernel(graph::Signature signature, kernels::Team& team)
      : signature_(std::move(signature)),
        team_(team),
        workspace_(kernels::cpu::workspace_bytes(signature_, team.size())) {
    for (const auto& type : signature_.reads) {
      memory_.emplace_back(type.bytes());
      reads_.push_back(memory_.back().data());
      fill(type, reads_.back());
    }
    for (const auto& type : signature_.writes) {
      memory_.emplace_back(type.bytes());
      writes_.push_back(memory_.back().data());
    }
    const char* row = kernels::cpu::serves("cpu.panels", signature_, nullptr) ? "cpu.panels" : "cpu.simd";
    kernel_ =
        kernels::bind(row, signature_, kernels::cpu::workspace_bytes(signature_, team.size()), team.size());
  }

  void run() const { kernel_->run({reads_, writes_, workspace_.data(), true}, team_); }
  std::byte* read(size_t i) const { return reads_[i]; }
  /// All operands once.
  int64_t bytes() const {
    int64_t sum = 0;
    for (const auto* types : {&signature_.reads, &signature_.writes})
      for (const auto& type : *types) sum += type.bytes();
    return sum;
  }

 private:
  graph::Signature signature_;
  kernels::Team& team_;
  Memory workspace_;
  std::vector<Memory> memory_;
  std::vector<std::byte*> reads_, writes_;
  std::unique_ptr<kernels::Kernel> kernel_;
};

}  // namespace pleat::bench
