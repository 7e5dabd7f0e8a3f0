// SPDX-License-Identifier: Apache-2.0
// Initial weights as a pure function of (seed, name, element): every rank fills its own slice, and all agree.
#include <algorithm>

#include "base/errors.h"
#include "base/philox.h"
#include "model/families/parameters.h"

namespace pleat::model {
namespace {

using base::Shape;

void check_slice(const Parameter& parameter, const Shape& begin, const Shape& extent, size_t values) {
  bool inside = begin.dims() == parameter.shape.dims() && extent.dims() == parameter.shape.dims();
  for (int dim = 0; inside && dim < extent.dims(); ++dim)
    inside = begin[dim] >= 0 && extent[dim] >= 0 && begin[dim] <= parameter.shape[dim] - extent[dim];
  if (!inside || static_cast<size_t>(extent.elements()) != values)
    base::fail<base::CheckError>("{}: no slice of {} from {} with {} values in {}", parameter.name,
                                 to_string(extent), to_string(begin), values, to_string(parameter.shape));
}

/// Calls visit(first element of the parameter, elements) for the contiguous runs of a slice, in order.
template <class Visit>
void for_each_run(const Shape& shape, const Shape& begin, const Shape& extent, const Visit& visit) {
  const int dims = shape.dims();
  int run_dims = 1;  // the dims, from the last, that one run covers
  while (run_dims < dims && extent[dims - run_dims] == shape[dims - run_dims]) ++run_dims;
  int64_t run = 1;
  for (int dim = dims - run_dims; dim < dims; ++dim) run *= extent[dim];
  const int64_t runs = run == 0 ? 0 : extent.elements() / run;
  for (int64_t number = 0; number < runs; ++number) {
    Shape at = begin;
    int64_t rest = number;
    for (int dim = dims - run_dims - 1; dim >= 0; --dim) {
      at[dim] += rest % extent[dim];
      rest /= extent[dim];
    }
    int64_t first = 0;
    for (int dim = 0; dim < dims; ++dim) first = first * shape[dim] + at[dim];
    visit(first, run);
  }
}

}  // namespace

void initial_values(const Parameter& parameter, const Shape& begin, const Shape& extent, uint64_t seed,
                    std::span<float> values) {
  check_slice(parameter, begin, extent, values.size());
  if (parameter.initialisation != Initialisation::normal) {
    std::fill(values.begin(), values.end(), parameter.initialisation == Initialisation::ones ? 1.0f : 0.0f);
    return;
  }
  const base::RandomStream stream(seed, parameter.name, "initial value");
  for_each_run(parameter.shape, begin, extent, [&](int64_t first, int64_t count) {
    stream.fill_normals(static_cast<uint64_t>(first), parameter.deviation,
                        values.first(static_cast<size_t>(count)));
    values = values.subspan(static_cast<size_t>(count));
  });
}

void initial_values(const config::ModelConfig& config, std::string_view name, const Shape& begin,
                    const Shape& extent, uint64_t seed, std::span<float> values) {
  initial_values(parameter_named(config, name), begin, extent, seed, values);
}

}  // namespace pleat::model
