// SPDX-License-Identifier: Apache-2.0
// config.json of a Hugging Face model <-> ModelConfig. Reads what transformers 4 and 5 write; refuses by name
// whatever it would have to ignore to go on.
#pragma once
#include <string>
#include <string_view>

#include "config/model_config.h"

namespace pleat::model {

/// `where` names the text in errors (a path). Throws JobError for a model this engine does not compute and
/// DataError for text that is not a config.json.
config::ModelConfig parse_hugging_face_config(std::string_view json, std::string_view where);
/// directory/config.json.
config::ModelConfig read_hugging_face_config(const std::string& directory);
/// Text that AutoModelForCausalLM of transformers 5 accepts; `dtype` as it names it (float32, bfloat16).
std::string hugging_face_config(const config::ModelConfig& config, std::string_view dtype);

}  // namespace pleat::model
