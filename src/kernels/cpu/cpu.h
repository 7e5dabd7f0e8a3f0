// SPDX-License-Identifier: Apache-2.0
// The fast kernels of this CPU: products on packed panels and vectorised rows, chosen at bind by the
// instructions the processor has. The bits of a result depend on shapes and values only, never on the team or
// on the other rows.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "graph/signature.h"
#include "kernels/kernel.h"

namespace pleat::kernels::cpu {

/// Whether the catalogue row `name` computes this signature here; if not, `reason` (may be null) says why.
bool serves(std::string_view name, const graph::Signature& signature, std::string* reason);

/// Bytes of Call::workspace that bind() asks for: a closed form of shapes and team size, the same on every
/// processor.
int64_t workspace_bytes(const graph::Signature& signature, int team_size);

/// Throws CheckError when serves() is false or `workspace_bytes` is less than the function above says.
std::unique_ptr<Kernel> bind(std::string_view name, const graph::Signature& signature,
                             int64_t workspace_bytes, int team_size);

}  // namespace pleat::kernels::cpu
