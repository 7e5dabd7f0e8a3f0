// SPDX-License-Identifier: Apache-2.0
#include "compile/squares.h"

#include "base/errors.h"
#include "model/families/parameters.h"

namespace pleat::compile {

std::vector<SquaresRange> squares_ranges(const config::ModelConfig& model) {
  std::vector<SquaresRange> ranges;
  int64_t next = 0;
  const std::vector<model::Parameter> parameters = model::parameters(model);
  for (bool experts : {false, true})
    for (const model::Parameter& p : parameters) {
      if ((p.kind == model::ParameterKind::experts) != experts) continue;
      ranges.push_back({p.name, experts, next, experts ? p.shape[0] : 1});
      next += ranges.back().count;
    }
  return ranges;
}

std::string squares_name(const config::ModelConfig& model, int64_t index) {
  for (const SquaresRange& range : squares_ranges(model))
    if (index >= range.first && index < range.first + range.count)
      return range.experts ? fmt::format("{}[{}]", range.parameter, index - range.first) : range.parameter;
  base::fail<base::CheckError>("no tensor has sum {}", index);
}

}  // namespace pleat::compile
