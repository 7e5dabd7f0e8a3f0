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

/// One contiguous run of `count` elements: at `source` in the source tensor and at `target` in the target
/// tensor, both counted in elements from the start.
struct Run {
  int64_t source;
  int64_t target;
  int64_t count;
};
/// A dense row-major tensor and where in it a slice starts.
struct Place {
  base::Shape shape;
  base::Shape begin;
};
/// Calls `visit` for every run of a slice of `extent` that lies at `source` and goes to `target`, in
/// increasing order of both positions. The caller has checked that the slice is inside both.
void for_each_run(const Place& source, const Place& target, const base::Shape& extent,
                  const std::function<void(const Run&)>& visit);

}  // namespace pleat::checkpoint
