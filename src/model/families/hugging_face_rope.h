// SPDX-License-Identifier: Apache-2.0
// The forms in which config.json has held the parameters of rotary embedding. Private to the reader of
// config.json.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "config/model_config.h"

namespace pleat::model {

/// Leaves exactly one form in `file`: rope_parameters with rope_type, rope_theta and what the type uses, as
/// transformers 5 resolves them. Throws JobError for a type that is not computed and for two forms that
/// disagree.
void unify_rope(nlohmann::json& file, const config::ModelConfig& defaults, std::string_view where);

}  // namespace pleat::model
