// SPDX-License-Identifier: Apache-2.0
// Defaults that hang on other values, so that a printed job has none left open.
#include <algorithm>
#include <cmath>

#include "config/keys.h"

namespace pleat::config {
namespace {

/// YaRN's attention factor where none is given (mscale 1).
double yarn_attention_factor(double factor) {
  return factor <= 1.0 ? 1.0 : 0.1 * std::log(factor) + 1.0;
}

void resolve_decay(const TrainSettings& train, OptimizerSettings& optimizer) {
  if (optimizer.decay_steps != 0) return;
  const int64_t after_warmup = std::max<int64_t>(1, train.steps - optimizer.warmup_steps);
  if (optimizer.decay == Decay::cosine) optimizer.decay_steps = after_warmup;
  if (optimizer.decay == Decay::wsd)
    optimizer.decay_steps = std::clamp<int64_t>(train.steps / 5, 1, after_warmup);
}

}  // namespace

void apply_family_defaults(Job& job) {
  job.model = class_defaults(job.model.family);
}

void resolve_defaults(Job& job, const std::function<bool(std::string_view)>& written) {
  ModelConfig& model = job.model;
  if (model.num_key_value_heads == 0 && !written("model.num_key_value_heads"))
    model.num_key_value_heads = model.num_attention_heads;
  if (model.head_dim == 0 && model.num_attention_heads > 0 && !written("model.head_dim"))
    model.head_dim = model.hidden_size / model.num_attention_heads;
  if (model.rope.type == RopeType::yarn && !written("model.rope_parameters.attention_factor"))
    model.rope.attention_factor = yarn_attention_factor(model.rope.factor);
  resolve_decay(job.train, job.optimizer);
}

}  // namespace pleat::config
