// SPDX-License-Identifier: Apache-2.0
// Elements of a file as another dtype: between f32, bf16 and f64, each rounded once to nearest even.
#pragma once
#include <cstddef>
#include <cstdint>

#include "base/dtype.h"

namespace pleat::checkpoint {

/// bf16 nearest to a double, without the second rounding that a detour over float would add.
base::bf16 bf16_of(double x);

/// True when elements of `from` can be read as `to`.
bool convertible(base::DType from, base::DType to);

/// `count` elements; neither side need be aligned. Equal dtypes are copied bit for bit.
void convert(base::DType from, const std::byte* source, base::DType to, std::byte* target, int64_t count);

}  // namespace pleat::checkpoint
