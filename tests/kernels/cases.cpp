// SPDX-License-Identifier: Apache-2.0
#include "cases.h"

#include <cmath>
#include <cstring>
#include <new>

#include "base/philox.h"
#include "case_list.h"

namespace pleat::kernels::testing {

namespace {

constexpr std::align_val_t kAlignment{64};
constexpr int64_t kGuardBytes = 64;  // past the end
constexpr int kPattern = 0xa5;

void fill_numbers(const Buffer& buffer, Fill fill, std::string_view name, size_t operand) {
  if (!base::is_floating(buffer.type().dtype)) return;
  const base::RandomStream random(operand, name, "operand");
  const tensor::View view = buffer.view();
  for (int64_t r = 0; r < view.rows(); ++r)
    for (int64_t c = 0; c < view.columns(); ++c) {
      const double u = random.uniform(static_cast<uint64_t>(r * view.columns() + c));
      view.set(r, c, fill == Fill::uniform ? 2 * u - 1 : std::floor(7 * u) - 3);
    }
}

void fill_untouched(const Buffer& buffer) {
  const tensor::View view = buffer.view();
  for (int64_t r = 0; r < view.rows(); ++r)
    for (int64_t c = 0; c < view.columns(); ++c) view.set(r, c, kUntouched);
}

}  // namespace

Buffer::Buffer(const graph::OperandType& type) : type_(type), allocated_(type.bytes() + kGuardBytes) {
  data_.reset(static_cast<std::byte*>(::operator new(static_cast<size_t>(allocated_), kAlignment)));
  std::memset(data(), kPattern, static_cast<size_t>(allocated_));
  const int64_t size = base::size_of(type.dtype), row = type.shape.row_elements() * size;
  for (int64_t r = 0; r < view().rows(); ++r) std::memset(data() + r * type.row_stride * size, 0, row);
}

Buffer::Buffer(const Buffer& other) : Buffer(other.type_) {
  std::memcpy(data(), other.data(), static_cast<size_t>(allocated_));
}

void Buffer::Free::operator()(std::byte* data) const {
  ::operator delete(data, kAlignment);
}

std::vector<double> Buffer::numbers() const {
  std::vector<double> result;
  for (int64_t r = 0; r < view().rows(); ++r)
    for (int64_t c = 0; c < view().columns(); ++c) result.push_back(view().get(r, c));
  return result;
}

bool Buffer::surroundings_intact() const {
  const int64_t size = base::size_of(type_.dtype), row = type_.shape.row_elements() * size;
  int64_t at = 0;
  const auto intact_until = [&](int64_t end) {
    for (; at < end; ++at)
      if (data()[at] != static_cast<std::byte>(kPattern)) return false;
    return true;
  };
  for (int64_t r = 0; r < view().rows() && row > 0; ++r) {
    if (!intact_until(r * type_.row_stride * size)) return false;
    at += row;
  }
  return intact_until(allocated_);
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = make_cases();
  return all;
}

Operands empty_operands(const graph::Signature& signature) {
  Operands operands;
  for (const auto& type : signature.reads) operands.reads.emplace_back(type);
  for (const auto& type : signature.writes) operands.writes.emplace_back(type);
  return operands;
}

Operands operands_of(const Case& test_case, Fill fill) {
  Operands operands;
  for (const graph::OperandType& type : test_case.signature.reads) {
    operands.reads.emplace_back(type);
    fill_numbers(operands.reads.back(), fill, test_case.name, operands.reads.size());
  }
  for (const graph::OperandType& type : test_case.signature.writes) {
    operands.writes.emplace_back(type);
    fill_untouched(operands.writes.back());
  }
  if (test_case.complete) test_case.complete(operands);
  return operands;
}

void run_kernel(std::string_view kernel, const graph::Signature& signature, Operands& operands, Team& team,
                bool first, int64_t workspace_bytes) {
  const auto bound = kernels::bind(kernel, signature, workspace_bytes, team.size());
  const auto bytes = graph::OperandType::dense(base::DType::i64, {(workspace_bytes + 7) / 8});
  const Buffer workspace(bytes);
  std::vector<std::byte*> reads, writes;
  for (const Buffer& buffer : operands.reads) reads.push_back(buffer.data());
  for (const Buffer& buffer : operands.writes) writes.push_back(buffer.data());
  bound->run({reads, writes, workspace.data(), first}, team);
  if (!workspace.surroundings_intact())
    base::fail<base::CheckError>("{} wrote beyond the {} bytes of its workspace", kernel, workspace_bytes);
}

}  // namespace pleat::kernels::testing
