// SPDX-License-Identifier: Apache-2.0
#include "verify/rows.h"

#include <algorithm>

namespace pleat::verify {
namespace {

void keep(std::vector<Rows>& parts, int64_t begin, int64_t width, int64_t stride, int64_t count) {
  if (width > 0 && count > 0) parts.push_back(make_rows(begin, width, stride, count));
}

Rows part_of(const Rows& a, int64_t first, int64_t count) {
  return make_rows(a.begin + first * a.stride, a.width, a.stride, count);
}

void cut_row_by_row(const Rows& a, const Rows& b, std::vector<Rows>& inside, std::vector<Rows>& outside) {
  for (int64_t i = 0; i < a.count; ++i) cut(part_of(a, i, 1), b, inside, outside);
}

/// Both are one row.
void cut_line(const Rows& a, const Rows& b, std::vector<Rows>& inside, std::vector<Rows>& outside) {
  const int64_t begin = std::max(a.begin, b.begin), end = std::min(a.end(), b.end());
  keep(outside, a.begin, begin - a.begin, 0, 1);
  keep(inside, begin, end - begin, 0, 1);
  keep(outside, end, a.end() - end, 0, 1);
}

/// `b` is one row: whole rows of `a` are in it, save one at each end.
void cut_rows_by_line(const Rows& a, const Rows& b, std::vector<Rows>& inside, std::vector<Rows>& outside) {
  const auto ended_by = [&](int64_t limit) {
    return limit < a.begin + a.width ? 0 : std::min(a.count, (limit - a.begin - a.width) / a.stride + 1);
  };
  const auto begun_before = [&](int64_t limit) {
    return limit <= a.begin ? 0 : std::min(a.count, (limit - a.begin - 1) / a.stride + 1);
  };
  const int64_t before = ended_by(b.begin), upto = begun_before(b.end());
  if (before > 0) outside.push_back(part_of(a, 0, before));
  int64_t first = before, last = upto;
  if (first < last && a.begin + first * a.stride < b.begin)
    cut_line(part_of(a, first++, 1), b, inside, outside);
  if (first < last && a.begin + (last - 1) * a.stride + a.width > b.end())
    cut_line(part_of(a, --last, 1), b, inside, outside);
  if (first < last) inside.push_back(part_of(a, first, last - first));
  if (upto < a.count) outside.push_back(part_of(a, upto, a.count - upto));
}

/// `a` is one row: rows of `b` and the gaps between them alternate in it.
void cut_line_by_rows(const Rows& a, const Rows& b, std::vector<Rows>& inside, std::vector<Rows>& outside) {
  keep(outside, a.begin, std::min(a.end(), b.begin) - a.begin, 0, 1);
  const int64_t begin = std::max(a.begin, b.begin), end = std::min(a.end(), b.begin + b.count * b.stride);
  const int64_t first = (begin - b.begin) / b.stride,
                last = (end - 1 - b.begin) / b.stride;  // lattice rows touched
  const auto piece = [&](int64_t row) {                 // a lattice row of which `a` has a part
    const int64_t low = std::max(begin, b.begin + row * b.stride),
                  high = std::min(end, b.begin + (row + 1) * b.stride);
    const int64_t split = std::clamp(b.begin + row * b.stride + b.width, low, high);
    keep(inside, low, split - low, 0, 1);
    keep(outside, split, high - split, 0, 1);
  };
  if (begin < end) {
    piece(first);
    if (last > first) piece(last);
    keep(inside, b.begin + (first + 1) * b.stride, b.width, b.stride, last - first - 1);
    keep(outside, b.begin + (first + 1) * b.stride + b.width, b.stride - b.width, b.stride, last - first - 1);
  }
  const int64_t rest = std::max(a.begin, end);
  keep(outside, rest, a.end() - rest, 0, 1);
}

/// Rows of one stride: columns against columns.
void cut_columns(const Rows& a, const Rows& b, std::vector<Rows>& inside, std::vector<Rows>& outside) {
  int64_t shift = (a.begin - b.begin) / b.stride, column = (a.begin - b.begin) % b.stride;
  if (column < 0) column += b.stride, --shift;
  if (column + a.width > b.stride) {  // reaches into the next row of the lattice: two columns
    const int64_t left = b.stride - column;
    cut(make_rows(a.begin, left, a.stride, a.count), b, inside, outside);
    cut(make_rows(a.begin + left, a.width - left, a.stride, a.count), b, inside, outside);
    return;
  }
  const int64_t first = std::clamp<int64_t>(-shift, 0, a.count),
                last = std::clamp<int64_t>(b.count - shift, first, a.count);
  const int64_t common = std::clamp<int64_t>(b.width - column, 0, a.width);
  if (common == 0 || first == last) return outside.push_back(a);
  keep(outside, a.begin, a.width, a.stride, first);
  keep(inside, a.begin + first * a.stride, common, a.stride, last - first);
  keep(outside, a.begin + first * a.stride + common, a.width - common, a.stride, last - first);
  keep(outside, a.begin + last * a.stride, a.width, a.stride, a.count - last);
}

}  // namespace

Rows make_rows(int64_t begin, int64_t width, int64_t stride, int64_t count) {
  if (count == 1 || stride == width) return {begin, width * count, width * count, 1};
  return {begin, width, stride, count};
}

Rows rows_of(const program::Region& region, int64_t base) {
  const auto& type = region.type;
  const int64_t size = base::size_of(type.dtype);
  if (type.shape.elements() == 0) return {base + region.offset, 0, 0, 0};
  const int64_t rows = type.shape.dims() == 0 ? 1 : type.shape[0];
  return make_rows(base + region.offset, type.shape.row_elements() * size, type.row_stride * size, rows);
}

void cut(const Rows& a, const Rows& b, std::vector<Rows>& inside, std::vector<Rows>& outside) {
  if (a.empty()) return;
  if (b.empty() || a.end() <= b.begin || b.end() <= a.begin) return outside.push_back(a);
  if (a == b) return inside.push_back(a);
  if (a.count == 1 && b.count == 1) return cut_line(a, b, inside, outside);
  if (b.count == 1) return cut_rows_by_line(a, b, inside, outside);
  if (a.count == 1) return cut_line_by_rows(a, b, inside, outside);
  if (a.stride == b.stride) return cut_columns(a, b, inside, outside);
  cut_row_by_row(a, b, inside, outside);
}

}  // namespace pleat::verify
