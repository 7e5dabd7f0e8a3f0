// SPDX-License-Identifier: Apache-2.0
// transformers 4: rope_theta beside rope_scaling {type or rope_type, ...}. transformers 5: rope_parameters
// with all of it. A file may hold both, for readers of either version; then they must say the same.
#include "model/families/hugging_face_rope.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/errors.h"

namespace pleat::model {
namespace {

using base::DataError;
using base::fail;
using base::JobError;
using nlohmann::json;

bool given(const json& object, const char* name) {
  return object.contains(name) && !object[name].is_null();
}

std::string type_of(const json& rope, std::string_view where) {
  if (given(rope, "type") && given(rope, "rope_type") && rope["type"] != rope["rope_type"])
    fail<JobError>("{}: the rope's type {} and rope_type {} differ", where, rope["type"].dump(),
                   rope["rope_type"].dump());
  const std::string type = given(rope, "rope_type") ? rope["rope_type"].get<std::string>()
                           : given(rope, "type")    ? rope["type"].get<std::string>()
                                                    : "default";
  const auto& names = config::kRopeTypeNames;
  if (std::find(names.begin(), names.end(), type) == names.end())
    fail<JobError>("{}: rope type '{}' is not computed: {} are", where, type, fmt::join(names, ", "));
  return type;
}

double get_mscale(double factor, double mscale) {
  return factor <= 1.0 ? 1.0 : 0.1 * mscale * std::log(factor) + 1.0;
}

double attention_factor(const json& rope, double factor) {
  if (given(rope, "attention_factor")) return rope["attention_factor"].get<double>();
  const double mscale = given(rope, "mscale") ? rope["mscale"].get<double>() : 0.0;
  const double all = given(rope, "mscale_all_dim") ? rope["mscale_all_dim"].get<double>() : 0.0;
  return mscale != 0 && all != 0 ? get_mscale(factor, mscale) / get_mscale(factor, all)
                                 : get_mscale(factor, 1.0);
}

void copy(const json& from, const char* name, json& to) {
  if (given(from, name)) to[name] = from[name];
}

/// One form -> the canonical one: only what the type uses, nothing left to derive.
json canonical(const json& rope, const json& file, const config::ModelConfig& defaults,
               std::string_view where) {
  if (!rope.is_object())
    fail<DataError>("{}: rope parameters are {}, expected an object", where, rope.dump());
  for (const char* nested : {"full_attention", "sliding_attention"})
    if (rope.contains(nested))
      fail<JobError>("{}: rope parameters by layer type ({}) are not computed: one set for all layers is",
                     where, nested);
  if (given(rope, "partial_rotary_factor") && rope["partial_rotary_factor"] != 1)
    fail<JobError>("{}: partial_rotary_factor {} is not computed: 1 is", where,
                   rope["partial_rotary_factor"].dump());
  const std::string type = type_of(rope, where);
  json result{{"rope_type", type}, {"rope_theta", defaults.rope.theta}};
  copy(file, "rope_theta", result);
  copy(rope, "rope_theta", result);
  if (type == "default") return result;

  copy(rope, "factor", result);
  if (type == "linear") return result;

  const json positions = given(file, "max_position_embeddings") ? file["max_position_embeddings"]
                                                                : json(defaults.max_position_embeddings);
  result["original_max_position_embeddings"] = positions;
  copy(rope, "original_max_position_embeddings", result);
  if (type == "llama3") {
    copy(rope, "low_freq_factor", result);
    copy(rope, "high_freq_factor", result);
    return result;
  }
  if (!result.contains("factor"))
    result["factor"] = positions.get<double>() / result["original_max_position_embeddings"].get<double>();
  for (const char* beta : {"beta_fast", "beta_slow"})
    if (given(rope, beta) && rope[beta] != 0) result[beta] = rope[beta];
  copy(rope, "truncate", result);
  result["attention_factor"] = attention_factor(rope, result["factor"].get<double>());
  return result;
}

}  // namespace

void unify_rope(json& file, const config::ModelConfig& defaults, std::string_view where) {
  const bool has_parameters = given(file, "rope_parameters") && !file["rope_parameters"].empty();
  const bool has_scaling = given(file, "rope_scaling") && !file["rope_scaling"].empty();
  const json scaling = has_scaling ? file["rope_scaling"] : json::object();
  json result = canonical(has_parameters ? file["rope_parameters"] : scaling, file, defaults, where);
  if (has_parameters && has_scaling && canonical(scaling, file, defaults, where) != result)
    fail<JobError>("{}: rope_scaling and rope_parameters differ: keep one", where);
  if (given(file, "rope_theta") && file["rope_theta"] != result["rope_theta"])
    fail<JobError>("{}: rope_theta {} and rope_parameters.rope_theta {} differ: keep one", where,
                   file["rope_theta"].dump(), result["rope_theta"].dump());
  file.erase("rope_scaling");
  file["rope_parameters"] = std::move(result);
}

}  // namespace pleat::model
