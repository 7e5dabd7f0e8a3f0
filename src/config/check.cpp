// SPDX-License-Identifier: Apache-2.0
// The rules of a job that need nothing but the job: ranges of fields, then what fields say to each other.
// What needs the two meshes is checked where the Layout is made.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/errors.h"
#include "config/keys.h"
#include "config/suggest.h"

namespace pleat::config {
namespace {

using base::fail;
using base::JobError;
using Place = std::function<std::string(std::string_view)>;

struct CheckField {
  const Key& key;
  Job& job;
  const Place& place;

  void operator()(const IntegerField& field) const {
    const int64_t value = field.at(job);
    if (value < field.lowest)
      fail<JobError>("{} {} must be at least {}", place(key.path), value, field.lowest);
    if (value > field.highest)
      fail<JobError>("{} {} must be at most {}", place(key.path), value, field.highest);
  }
  void operator()(const NumberField& field) const {
    const double value = field.at(job);
    const bool low_enough = value <= field.highest && std::isfinite(value);
    if (low_enough && (field.above_lowest ? value > field.lowest : value >= field.lowest)) return;
    const std::string_view above = field.above_lowest ? "greater than" : "at least";
    if (std::isfinite(field.highest))
      fail<JobError>("{} {} must be {} {} and at most {}", place(key.path), value, above, field.lowest,
                     field.highest);
    fail<JobError>("{} {} must be {} {} and finite", place(key.path), value, above, field.lowest);
  }
  void operator()(const ChoiceField& field) const {
    const size_t value = field.get(job);
    if (value < field.first || value >= field.names.size())
      fail<JobError>("{} must be {}", place(key.path), kind_of(field));
  }
  void operator()(const auto&) const {}
};

void check_heads(const ModelConfig& model, const Place& place) {
  const int64_t heads = model.num_attention_heads;
  if (heads % model.num_key_value_heads != 0)
    fail<JobError>("{} {} does not divide num_attention_heads {}: choose one of {}",
                   place("model.num_key_value_heads"), model.num_key_value_heads, heads,
                   fmt::join(divisors(heads), ", "));
  if (model.head_dim % 2 != 0)
    fail<JobError>(
        "{} {} must be even, because rotary embedding turns halves against each other: choose {} or {}",
        place("model.head_dim"), model.head_dim, model.head_dim - 1, model.head_dim + 1);
  if (model.family == Family::llama && model.hidden_size % heads != 0)
    fail<JobError>("{} {} is no multiple of num_attention_heads {}, which the llama class demands: choose {}",
                   place("model.hidden_size"), model.hidden_size, heads,
                   fmt::join(nearest_multiples(model.hidden_size, heads), " or "));
}

void check_windows(const ModelConfig& model, const Place& place) {
  if (model.family != Family::qwen3 && model.family != Family::qwen3_moe) return;
  if (model.use_sliding_window && model.sliding_window == 0)
    fail<JobError>("{} true needs a sliding_window of at least 1", place("model.use_sliding_window"));
  if (!model.use_sliding_window && model.sliding_window != 0)
    fail<JobError>("{} {} counts only with use_sliding_window true: set that, or sliding_window 0",
                   place("model.sliding_window"), model.sliding_window);
  const std::vector<std::string>& types = model.layer_types;
  if (!types.empty() && static_cast<int64_t>(types.size()) != model.num_hidden_layers)
    fail<JobError>("{} has {} entries for {} layers", place("model.layer_types"), types.size(),
                   model.num_hidden_layers);
  for (const std::string& type : types) {
    if (type != "full_attention" && type != "sliding_attention")
      fail<JobError>("{}: '{}' is not one of full_attention, sliding_attention", place("model.layer_types"),
                     type);
    if (type == "sliding_attention" && !model.use_sliding_window)
      fail<JobError>("{} has sliding_attention, which needs use_sliding_window true",
                     place("model.layer_types"));
  }
}

void check_experts(const ModelConfig& model, const Place& place) {
  std::set<int64_t> seen;
  for (int64_t layer : model.mlp_only_layers) {
    if (layer < 0 || layer >= model.num_hidden_layers)
      fail<JobError>("{}: {} is no layer: choose from 0 to {}", place("model.mlp_only_layers"), layer,
                     model.num_hidden_layers - 1);
    if (!seen.insert(layer).second)
      fail<JobError>("{}: {} is written twice", place("model.mlp_only_layers"), layer);
  }
  if (model.num_experts > 0 && model.num_experts_per_tok > model.num_experts)
    fail<JobError>("{} {} is more than the {} experts there are", place("model.num_experts_per_tok"),
                   model.num_experts_per_tok, model.num_experts);
  if (model.family == Family::mixtral && !model.norm_topk_prob)
    fail<JobError>("{} mixtral always divides the expert weights by their sum", place("model.family"));
}

void check_rope(const ModelConfig& model, const Place& place) {
  const Rope& rope = model.rope;
  if (rope.type == RopeType::llama3 && rope.high_freq_factor <= rope.low_freq_factor)
    fail<JobError>("{} {} must be greater than low_freq_factor {}",
                   place("model.rope_parameters.high_freq_factor"), rope.high_freq_factor,
                   rope.low_freq_factor);
  if (rope.type == RopeType::yarn && rope.beta_fast < rope.beta_slow)
    fail<JobError>("{} {} must be at least beta_slow {}", place("model.rope_parameters.beta_fast"),
                   rope.beta_fast, rope.beta_slow);
}

void check_batch(const Job& job, const Place& place) {
  const TrainSettings& train = job.train;
  if (train.micro_batch > std::numeric_limits<int32_t>::max() / train.sequence)
    fail<JobError>("{} {} x train.sequence {} tokens do not fit into 32-bit row numbers",
                   place("train.micro_batch"), train.micro_batch, train.sequence);
  const int64_t unit = train.micro_batch * job.layout.dp;
  if (train.global_batch % unit != 0)
    fail<JobError>("{} {} is no multiple of train.micro_batch {} x layout.dp {} = {}: choose {}",
                   place("train.global_batch"), train.global_batch, train.micro_batch, job.layout.dp, unit,
                   fmt::join(nearest_multiples(train.global_batch, unit), " or "));
  // The Program lists each of them, and to prove this many already takes a quarter of a minute.
  constexpr int64_t kMostMicroBatches = 1 << 12;
  if (train.global_batch / unit > kMostMicroBatches)
    fail<JobError>(
        "{} {} makes {} micro-batches a step on each rank, of train.micro_batch {} x layout.dp {}: "
        "at most {} are possible",
        place("train.global_batch"), train.global_batch, train.global_batch / unit, train.micro_batch,
        job.layout.dp, kMostMicroBatches);
}

void check_model_in_job(const Job& job, const Place& place) {
  const ModelConfig& model = job.model;
  if (job.train.sequence > model.max_position_embeddings)
    fail<JobError>("{} {} is more than model.max_position_embeddings {}", place("train.sequence"),
                   job.train.sequence, model.max_position_embeddings);
  const int64_t ep = job.layout.ep;
  if (ep > 1 && model.num_moe_layers() == 0)
    fail<JobError>("{} {} spreads experts, and this model has none: choose 1", place("layout.ep"), ep);
  if (ep > 1 && model.num_experts % ep != 0)
    fail<JobError>("{} {} does not divide the {} experts: choose one of {}", place("layout.ep"), ep,
                   model.num_experts, fmt::join(divisors(model.num_experts), ", "));
}

void check_optimizer(const Job& job, const Place& place) {
  const OptimizerSettings& optimizer = job.optimizer;
  for (const auto& [name, beta] :
       {std::pair{"optimizer.beta1", optimizer.beta1}, {"optimizer.beta2", optimizer.beta2}})
    if (beta == 1.0) fail<JobError>("{} 1 never forgets its start of zero: choose less than 1", place(name));
  if (optimizer.warmup_steps > job.train.steps)
    fail<JobError>("{} {} is more than train.steps {}", place("optimizer.warmup_steps"),
                   optimizer.warmup_steps, job.train.steps);
  if (optimizer.decay == Decay::wsd && optimizer.decay_steps > job.train.steps - optimizer.warmup_steps &&
      optimizer.warmup_steps < job.train.steps)
    fail<JobError>("{} {} is more than the train.steps {} - optimizer.warmup_steps {} = {} that are left",
                   place("optimizer.decay_steps"), optimizer.decay_steps, job.train.steps,
                   optimizer.warmup_steps, job.train.steps - optimizer.warmup_steps);
}

void check_model_relations(const ModelConfig& model, const Place& place) {
  check_heads(model, place);
  check_windows(model, place);
  check_experts(model, place);
  check_rope(model, place);
}

}  // namespace

void check_fields(const Job& job, std::string_view section, const Place& place) {
  Job copy = job;
  for (const Key& key : job_keys())
    if (key.path.starts_with(section) && key.scope->holds(job))
      std::visit(CheckField{key, copy, place}, key.field);
}

void check_model(const ModelConfig& config, const Place& place) {
  Job job;
  job.model = config;
  check_fields(job, "model.", place);
  check_model_relations(config, place);
}

void check_job(const Job& job) {
  const Place place = [&](std::string_view key) {
    const auto found = job.positions.places.find(key);
    return found == job.positions.places.end() ? fmt::format("{} (default)", key)
                                               : fmt::format("{}: {}", found->second, key);
  };
  check_fields(job, "", place);
  check_batch(job, place);
  check_optimizer(job, place);
  if (job.model.family == Family::unset) return;  // the rest when model.directory has been read
  check_model_relations(job.model, place);
  check_model_in_job(job, place);
}

}  // namespace pleat::config
