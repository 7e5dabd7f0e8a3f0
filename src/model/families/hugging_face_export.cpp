// SPDX-License-Identifier: Apache-2.0
// ModelConfig -> config.json, by the job's table of keys, with the fields around it that transformers wants.
#include <array>
#include <nlohmann/json.hpp>

#include "config/keys.h"
#include "model/families/hugging_face_config.h"

namespace pleat::model {
namespace {

using json = nlohmann::ordered_json;

constexpr std::array<const char*, config::kFamilyNames.size()> kArchitectures{
    "", "LlamaForCausalLM", "MixtralForCausalLM", "Qwen3ForCausalLM", "Qwen3MoeForCausalLM"};

struct Value {
  config::Job& job;
  json operator()(const config::ChoiceField& field) const { return std::string(field.names[field.get(job)]); }
  json operator()(const auto& field) const { return field.at(job); }
};

json rope_of(config::Job& job) {
  constexpr std::string_view kPrefix = "model.rope_parameters.";
  json rope;
  for (const config::Key& key : config::job_keys())
    if (key.path.starts_with(kPrefix) && key.scope->holds(job))
      rope[std::string(key.path.substr(kPrefix.size()))] = std::visit(Value{job}, key.field);
  return rope;
}

}  // namespace

std::string hugging_face_config(const config::ModelConfig& model, std::string_view dtype) {
  config::Job job;
  job.model = model;
  json file;
  file["architectures"] = {kArchitectures[static_cast<size_t>(model.family)]};
  file["model_type"] = std::string(name_of(model.family));
  file["torch_dtype"] = std::string(dtype);  // transformers 5 reads it as dtype
  file["hidden_act"] = "silu";
  file["attention_dropout"] = 0.0;
  for (const char* token : {"bos_token_id", "eos_token_id", "pad_token_id"}) file[token] = nullptr;
  for (const config::Key& key : config::job_keys()) {
    const bool is_field =
        key.path.starts_with("model.") && key.path != "model.family" && key.path != "model.directory";
    if (!is_field || key.path.starts_with("model.rope_parameters.") || !key.scope->holds(job)) continue;
    file[std::string(key.path.substr(6))] = std::visit(Value{job}, key.field);
  }
  if (file.contains("sliding_window") && model.sliding_window == 0) file["sliding_window"] = nullptr;
  if (model.layer_types.empty()) file.erase("layer_types");  // derived from max_window_layers
  if (model.router_z_loss_coef == 0) file.erase("router_z_loss_coef");
  const json rope = rope_of(job);
  file["rope_parameters"] = rope;         // transformers 5
  file["rope_theta"] = model.rope.theta;  // transformers 4
  if (model.rope.type != config::RopeType::default_) {
    file["rope_scaling"] = rope;
    file["rope_scaling"].erase("rope_theta");
  }
  return file.dump(2) + "\n";
}

}  // namespace pleat::model
