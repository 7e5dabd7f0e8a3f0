// SPDX-License-Identifier: Apache-2.0
// Boxes are walked with plain counters: at most four dims, and the last ones merged into one run where they
// are whole.
#include "checkpoint/box.h"

#include <algorithm>

#include "base/errors.h"

namespace pleat::checkpoint {

Box whole(const base::Shape& shape) {
  Box box{shape, shape};
  for (int d = 0; d < shape.dims(); ++d) box.begin[d] = 0;
  return box;
}

bool inside(const Box& box, const base::Shape& global) {
  if (box.begin.dims() != global.dims() || box.extent.dims() != global.dims()) return false;
  for (int d = 0; d < global.dims(); ++d) {
    if (box.begin[d] < 0 || box.extent[d] < 0 || box.extent[d] > global[d]) return false;
    if (box.begin[d] > global[d] - box.extent[d]) return false;
  }
  return true;
}

std::optional<int64_t> checked_elements(std::span<const int64_t> dims) {
  constexpr int64_t kLimit = int64_t{1} << 62;
  if (std::ranges::any_of(dims, [](int64_t dim) { return dim < 0; })) return std::nullopt;
  // A zero makes the product small whatever stands beside it.
  if (std::ranges::any_of(dims, [](int64_t dim) { return dim == 0; })) return 0;
  int64_t elements = 1;
  for (int64_t dim : dims) {
    if (dim > kLimit / elements) return std::nullopt;
    elements *= dim;
  }
  return elements;
}

std::optional<Box> intersection(const Box& a, const Box& b) {
  Box common = a;
  for (int d = 0; d < a.begin.dims(); ++d) {
    const int64_t begin = std::max(a.begin[d], b.begin[d]);
    const int64_t end = std::min(a.begin[d] + a.extent[d], b.begin[d] + b.extent[d]);
    if (end <= begin) return std::nullopt;
    common.begin[d] = begin;
    common.extent[d] = end - begin;
  }
  return common;
}

std::vector<Box> uncovered(const Box& wanted, std::span<const Box> parts) {
  if (wanted.extent.elements() == 0) return {};
  std::vector<Box> left{wanted};
  for (const Box& part : parts) {
    std::vector<Box> next;
    for (Box rest : left) {
      const std::optional<Box> hit = intersection(rest, part);
      if (!hit) {
        next.push_back(rest);
        continue;
      }
      // Cut what lies before and after the hit off, dim by dim; what remains is the hit itself.
      for (int d = 0; d < rest.begin.dims(); ++d) {
        const int64_t before = hit->begin[d] - rest.begin[d];
        const int64_t after = rest.begin[d] + rest.extent[d] - hit->begin[d] - hit->extent[d];
        Box side = rest;
        side.extent[d] = before;
        if (before > 0) next.push_back(side);
        side.begin[d] = hit->begin[d] + hit->extent[d];
        side.extent[d] = after;
        if (after > 0) next.push_back(side);
        rest.begin[d] = hit->begin[d];
        rest.extent[d] = hit->extent[d];
      }
    }
    left = std::move(next);
  }
  return left;
}

std::string to_string(const Box& box) {
  std::string text = "[";
  for (int d = 0; d < box.begin.dims(); ++d) {
    // Unsigned: a stranger's box may end beyond the largest number.
    const uint64_t end = static_cast<uint64_t>(box.begin[d]) + static_cast<uint64_t>(box.extent[d]);
    text += fmt::format("{}{}:{}", d == 0 ? "" : ", ", box.begin[d], end);
  }
  return text + "]";
}

namespace {

base::Shape strides_of(const base::Shape& shape) {
  base::Shape strides = shape;
  int64_t stride = 1;
  for (int d = shape.dims() - 1; d >= 0; --d) {
    strides[d] = stride;
    stride *= shape[d];
  }
  return strides;
}

int64_t offset_of(const base::Shape& at, const base::Shape& strides) {
  int64_t offset = 0;
  for (int d = 0; d < at.dims(); ++d) offset += at[d] * strides[d];
  return offset;
}

}  // namespace

void for_each_run(const Place& source, const Place& target, const base::Shape& extent,
                  const std::function<void(const Run&)>& visit) {
  if (extent.elements() == 0) return;
  // Trailing dims that are whole on both sides belong to the run, and one more that need not be.
  int first = extent.dims();
  int64_t count = 1;
  while (first > 0) {
    --first;
    count *= extent[first];
    if (extent[first] != source.shape[first] || extent[first] != target.shape[first]) break;
  }
  const base::Shape source_strides = strides_of(source.shape);
  const base::Shape target_strides = strides_of(target.shape);
  Run run{offset_of(source.begin, source_strides), offset_of(target.begin, target_strides), count};
  base::Shape at = extent;  // counters of the dims before `first`
  for (int d = 0; d < at.dims(); ++d) at[d] = 0;
  while (true) {
    visit(run);
    int d = first - 1;
    for (; d >= 0; --d) {
      run.source += source_strides[d];
      run.target += target_strides[d];
      if (++at[d] < extent[d]) break;
      run.source -= source_strides[d] * extent[d];
      run.target -= target_strides[d] * extent[d];
      at[d] = 0;
    }
    if (d < 0) return;
  }
}

}  // namespace pleat::checkpoint
