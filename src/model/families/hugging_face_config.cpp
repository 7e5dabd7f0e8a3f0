// SPDX-License-Identifier: Apache-2.0
// config.json -> ModelConfig. First the forms that versions of transformers write are brought into one, and
// what this engine would compute otherwise is refused; then the fields are read by the job's own table of
// keys.
#include "model/families/hugging_face_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/errors.h"
#include "config/keys.h"
#include "model/families/hugging_face_rope.h"

namespace pleat::model {
namespace {

using base::DataError;
using base::fail;
using base::JobError;
using config::Family;
using nlohmann::json;

constexpr std::string_view kModel = "model.";

const json* find(const json& object, std::string_view name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

Family family_of(const json& file, std::string_view where) {
  const json* type = find(file, "model_type");
  if (!type || !type->is_string())
    fail<DataError>("{}: model_type is missing, so this is no model's config.json", where);
  const std::string name = type->get<std::string>();
  for (size_t i = 1; i < config::kFamilyNames.size(); ++i)
    if (config::kFamilyNames[i] == name) return static_cast<Family>(i);
  fail<JobError>("{}: model_type '{}' is not supported: {} are", where, name,
                 fmt::join(std::span(config::kFamilyNames).subspan(1), ", "));
}

/// What would change the numbers, and is computed nowhere here: refused rather than ignored, in evaluation
/// too, because one cannot see from a directory that it will never be trained.
void refuse_uncomputed(const json& file, Family family, std::string_view where) {
  if (const json* act = find(file, "hidden_act"); act && *act != "silu" && *act != "swish")
    fail<JobError>("{}: hidden_act {} is not computed: silu is", where, act->dump());
  for (const char* name : {"attention_dropout", "router_jitter_noise"}) {
    if (std::string_view(name) == "router_jitter_noise" && family != Family::mixtral) continue;
    if (const json* value = find(file, name); value && *value != 0)
      fail<JobError>("{}: {} {} is not computed: set it to 0", where, name, value->dump());
  }
  if (const json* factor = find(file, "partial_rotary_factor"); factor && *factor != 1)
    fail<JobError>("{}: partial_rotary_factor {} is not computed: 1 is", where, factor->dump());
  for (const char* name : {"quantization_config", "per_layer_config"})
    if (find(file, name))
      fail<JobError>("{}: {} is not supported: export the model in fp32 or bf16", where, name);
}

/// transformers 5 may save Qwen3-MoE's num_experts as num_local_experts, and reads either in both families.
void unify_expert_count(json& file, Family family, std::string_view where) {
  const char* ours = family == Family::mixtral ? "num_local_experts" : "num_experts";
  const char* other = family == Family::mixtral ? "num_experts" : "num_local_experts";
  const json* given = find(file, other);
  if (!given) return;
  if (const json* both = find(file, ours); both && *both != *given)
    fail<JobError>("{}: num_experts and num_local_experts differ", where);
  file[ours] = *given;
}

/// sliding_window null, use_sliding_window and the class default of 4096 -> 0 or a window that counts.
void unify_window(json& file, Family family) {
  constexpr int64_t kQwenDefault = 4096;
  if (family == Family::mixtral) {
    if (!find(file, "sliding_window")) file["sliding_window"] = 0;
    return;
  }
  const json* use = find(file, "use_sliding_window");
  const bool windowed =
      use && *use == true && !(file.contains("sliding_window") && file["sliding_window"].is_null());
  if (!windowed) {
    file["use_sliding_window"] = false;
    file["sliding_window"] = 0;
  } else if (!find(file, "sliding_window")) {
    file["sliding_window"] = kQwenDefault;
  }
}

struct Assign {
  const json& value;
  const config::Key& key;
  std::string_view where;
  config::Job& job;

  [[noreturn]] void refuse() const {
    fail<DataError>("{}: {} is {}, expected {}", where, key.path.substr(kModel.size()), value.dump(),
                    config::kind_of(key.field));
  }
  int64_t integer(const json& number) const {
    if (!number.is_number_integer()) refuse();
    if (number.is_number_unsigned() && number.get<uint64_t>() > uint64_t{INT64_MAX}) refuse();
    return number.get<int64_t>();
  }
  std::string text(const json& word) const {
    if (!word.is_string()) refuse();
    return word.get<std::string>();
  }
  void operator()(const config::IntegerField& field) const { field.at(job) = integer(value); }
  void operator()(const config::NumberField& field) const {
    if (!value.is_number()) refuse();
    field.at(job) = value.get<double>();
  }
  void operator()(const config::BooleanField& field) const {
    if (!value.is_boolean()) refuse();
    field.at(job) = value.get<bool>();
  }
  void operator()(const config::TextField& field) const { field.at(job) = text(value); }
  void operator()(const config::ChoiceField& field) const {
    const std::string word = text(value);
    for (size_t i = field.first; i < field.names.size(); ++i)
      if (field.names[i] == word) return field.set(job, i);
    refuse();
  }
  void operator()(const config::IntegersField& field) const {
    if (!value.is_array()) refuse();
    field.at(job).clear();
    for (const json& item : value) field.at(job).push_back(integer(item));
  }
  void operator()(const config::TextsField& field) const {
    if (!value.is_array()) refuse();
    field.at(job).clear();
    for (const json& item : value) field.at(job).push_back(text(item));
  }
};

const json* value_of(const json& file, std::string_view path) {
  path.remove_prefix(kModel.size());
  constexpr std::string_view kRope = "rope_parameters.";
  if (path.starts_with(kRope)) return find(file["rope_parameters"], path.substr(kRope.size()));
  return find(file, path);
}

config::ModelConfig read_fields(const json& file, Family family, std::string_view where) {
  config::Job job;
  job.model.family = family;
  config::apply_family_defaults(job);
  if (file.contains("num_key_value_heads") && file["num_key_value_heads"].is_null())
    job.model.num_key_value_heads = 0;
  for (const config::Key& key : config::job_keys()) {
    if (!key.path.starts_with(kModel) || key.path == "model.family" || key.path == "model.directory")
      continue;
    if (!key.scope->holds(job)) continue;
    const json* value = value_of(file, key.path);
    if (value) std::visit(Assign{*value, key, where, job}, key.field);
    if (!value && key.path.starts_with("model.rope_parameters.") && key.required && key.required->holds(job))
      fail<DataError>("{}: rope_parameters has no {}, which {} need", where,
                      key.path.substr(key.path.rfind('.') + 1), key.required->words);
  }
  config::resolve_defaults(job, [&](std::string_view path) { return value_of(file, path) != nullptr; });
  return job.model;
}

}  // namespace

config::ModelConfig parse_hugging_face_config(std::string_view text, std::string_view where) {
  json file = json::parse(text, nullptr, false);
  if (!file.is_object()) fail<DataError>("{}: not a JSON object", where);
  const Family family = family_of(file, where);
  refuse_uncomputed(file, family, where);
  unify_expert_count(file, family, where);
  unify_window(file, family);
  try {
    unify_rope(file, config::class_defaults(family), where);
  } catch (const json::exception& error) {
    fail<DataError>("{}: rope parameters are not readable: {}", where, error.what());
  }
  const config::ModelConfig model = read_fields(file, family, where);
  config::check_model(model, [&](std::string_view key) {
    return fmt::format("{}: {}", where, key.starts_with(kModel) ? key.substr(kModel.size()) : key);
  });
  return model;
}

config::ModelConfig read_hugging_face_config(const std::string& directory) {
  const std::string path = directory + "/config.json";
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  if (!stream || !(text << stream.rdbuf())) fail<DataError>("{}: cannot be read", path);
  return parse_hugging_face_config(text.str(), path);
}

}  // namespace pleat::model
