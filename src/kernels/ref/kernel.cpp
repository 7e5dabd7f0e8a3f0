// SPDX-License-Identifier: Apache-2.0
#include "kernels/ref/kernel.h"

#include <utility>
#include <vector>

namespace pleat::kernels::ref {

namespace {

using base::CheckError;
using base::fail;

View view_of(const graph::OperandType& type, std::byte* data) {
  return {data, type.dtype, type.shape, type.row_stride};
}

class RefKernel final : public Kernel {
 public:
  RefKernel(const graph::Signature& signature, Body body, int64_t scratch)
      : signature_(signature), body_(std::move(body)), scratch_(static_cast<size_t>(scratch)) {
    if (signature.reads.size() > Operands::kMaxReads || signature.writes.size() > Operands::kMaxWrites)
      fail<CheckError>("{}: {} operands and {} results; reference kernels take at most {} and {}",
                       name_of(signature.op), signature.reads.size(), signature.writes.size(),
                       Operands::kMaxReads, Operands::kMaxWrites);
  }

  void run(const Call& call, Team&) const override {
    if (call.reads.size() != signature_.reads.size() || call.writes.size() != signature_.writes.size())
      fail<CheckError>("{}: called with {} operands and {} results, bound with {} and {}",
                       name_of(signature_.op), call.reads.size(), call.writes.size(), signature_.reads.size(),
                       signature_.writes.size());
    Operands operands;
    for (size_t i = 0; i < call.reads.size(); ++i)
      operands.in[i] = view_of(signature_.reads[i], call.reads[i]);
    for (size_t i = 0; i < call.writes.size(); ++i) {
      const bool accumulates = (signature_.accumulates >> i & 1) != 0;
      operands.out[i] = Result{view_of(signature_.writes[i], call.writes[i]), accumulates && !call.first};
    }
    operands.scratch = scratch_;
    body_(operands);
  }

 private:
  graph::Signature signature_;
  Body body_;
  mutable std::vector<double> scratch_;
};

}  // namespace

std::unique_ptr<Kernel> kernel(const graph::Signature& signature, Body body, int64_t scratch) {
  return std::make_unique<RefKernel>(signature, std::move(body), scratch);
}

}  // namespace pleat::kernels::ref
