// SPDX-License-Identifier: Apache-2.0
// Rectangular slices of a tensor: checks, intersection, what is not covered, and the contiguous runs of a
// slice in row-major order. Files and memory are both walked by runs.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/shape.h"

namespace pleat::checkpoint {

/// Elements [begin[d], begin[d] + extent[d]) of every dim d.
struct Box {
  base::Shape begin;
  base::Shape extent;
  bool operator==(const Box&) const = default;
};

/// The box of a whole tensor.
Box whole(const base::Shape& shape);
/// True when the box has the dims of `global` and lies inside; no arithmetic that could overflow.
bool inside(const Box& box, const base::Shape& global);
/// Elements of a shape from a file; nothing when a dim is negative or the product exceeds 2^62.
std::optional<int64_t> checked_elements(std::span<const int64_t> dims);
/// The common part; nothing when it is empty. A box without elements meets nothing.
std::optional<Box> intersection(const Box& a, const Box& b);
/// What of `wanted` no box of `parts` covers, as disjoint boxes.
std::vector<Box> uncovered(const Box& wanted, std::span<const Box> parts);
/// "[0:4, 128:256]"; "[]" for a scalar.
std::string to_string(const Box& box);

/// One contiguous run: `count` elements at `outer` (elements from the start of the outer tensor) and at
/// `inner` (elements from the start of the dense slice).
struct Run {
  int64_t outer;
  int64_t inner;
  int64_t count;
};
/// Calls `visit` for every run of `box` inside a dense tensor of shape `outer`, in increasing order of both
/// positions.
void for_each_run(const base::Shape& outer, const Box& box, const std::function<void(const Run&)>& visit);

}  // namespace pleat::checkpoint
