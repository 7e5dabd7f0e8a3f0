// SPDX-License-Identifier: Apache-2.0
// A kernel bound to one instruction of a segment: everything slow (primitives, checks, plans) happened in
// bind(); run() only computes. Operands arrive in the order of docs/operations.md, with the types of the
// Signature.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "graph/signature.h"
#include "kernels/team.h"

namespace pleat::kernels {

struct Call {
  std::span<std::byte* const> reads;
  std::span<std::byte* const> writes;
  std::byte* workspace = nullptr;  // Signature -> bytes as the catalogue declared; 64-byte aligned
  bool first = true;               // accumulated results: store (true) or add to what is there (false)
};

class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual void run(const Call& call, Team& team) const = 0;
};

/// A kernel by its catalogue name ("ref", "cpu.panels", ...) for this signature. `workspace_bytes` is what
/// the Program gives it; throws CheckError when it needs more, or when the name does not serve this
/// signature.
std::unique_ptr<Kernel> bind(std::string_view name, const graph::Signature& signature,
                             int64_t workspace_bytes, int team_size);

}  // namespace pleat::kernels
