// SPDX-License-Identifier: Apache-2.0
// The definition of a reduction: per element ((x0 + x1) + x2) + ... in the order of the parts, in the dtype
// itself; bf16 in fp32 with one rounding at the end. Integers wrap.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/dtype.h"

namespace pleat::comm {

/// out[0..count) = sum of parts[p][first..first + count) over p. `out` may be one of the parts at `first`;
/// any other overlap is not allowed.
void sum_parts(base::DType dtype, std::span<const std::byte* const> parts, int64_t first, int64_t count,
               std::byte* out);

}  // namespace pleat::comm
