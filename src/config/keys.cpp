// SPDX-License-Identifier: Apache-2.0
// The table itself. A new key is one row here and one field in job.h or model_config.h.
#include "config/keys.h"

#include <algorithm>
#include <array>
#include <limits>

namespace pleat::config {
namespace {

template <auto First, auto... Rest>
auto& member(auto& owner) {
  if constexpr (sizeof...(Rest) == 0)
    return owner.*First;
  else
    return member<Rest...>(owner.*First);
}

using J = Job;
using R = RunSettings;
using T = TrainSettings;
using L = LayoutSettings;
using O = OptimizerSettings;
using M = ModelConfig;

constexpr int64_t kAny = std::numeric_limits<int64_t>::max();
constexpr int64_t kLargeSize = int64_t{1} << 31;  // ids and local row counts are 32-bit
constexpr double kUnbounded = std::numeric_limits<double>::infinity();

template <auto... Path>
constexpr Field integer(int64_t lowest, int64_t highest = kAny) {
  return IntegerField{[](Job& job) -> int64_t& { return member<Path...>(job); }, lowest, highest};
}
template <auto... Path>
constexpr Field number(double lowest, double highest = kUnbounded) {
  return NumberField{[](Job& job) -> double& { return member<Path...>(job); }, lowest, highest, false};
}
template <auto... Path>
constexpr Field number_above(double lowest, double highest = kUnbounded) {
  return NumberField{[](Job& job) -> double& { return member<Path...>(job); }, lowest, highest, true};
}
template <auto... Path>
constexpr Field boolean() {
  return BooleanField{[](Job& job) -> bool& { return member<Path...>(job); }};
}
template <auto... Path>
constexpr Field text() {
  return TextField{[](Job& job) -> std::string& { return member<Path...>(job); }};
}
template <auto... Path>
constexpr Field choice(std::span<const std::string_view> names, size_t first = 0) {
  return ChoiceField{names, first, [](Job& job) { return static_cast<size_t>(member<Path...>(job)); },
                     [](Job& job, size_t value) {
                       auto& field = member<Path...>(job);
                       field = static_cast<std::remove_reference_t<decltype(field)>>(value);
                     }};
}

template <Family... Families>
constexpr Scope families(std::string_view words) {
  return {[](const Job& job) { return ((job.model.family == Families) || ...); }, words};
}
template <RopeType... Types>
constexpr Scope ropes(std::string_view words) {
  return {[](const Job& job) {
            return job.model.family != Family::unset && ((job.model.rope.type == Types) || ...);
          },
          words};
}

using enum Family;
constexpr Scope kAlways{[](const Job&) { return true; }, "every job"};
constexpr Scope kModel = families<llama, mixtral, qwen3, qwen3_moe>("a job with model.family");
constexpr Scope kLlama = families<llama>("family llama");
constexpr Scope kMixtral = families<mixtral>("family mixtral");
constexpr Scope kQwenMoe = families<qwen3_moe>("family qwen3_moe");
constexpr Scope kQwenDense = families<qwen3>("family qwen3");
constexpr Scope kQwen = families<qwen3, qwen3_moe>("families qwen3 and qwen3_moe");
constexpr Scope kMoe = families<mixtral, qwen3_moe>("families mixtral and qwen3_moe");
constexpr Scope kBiased = families<llama, qwen3, qwen3_moe>("families llama, qwen3 and qwen3_moe");
constexpr Scope kWindowed = families<mixtral, qwen3, qwen3_moe>("families mixtral, qwen3 and qwen3_moe");
constexpr Scope kEveryDense = families<llama, mixtral, qwen3>("families llama, mixtral and qwen3");
constexpr Scope kScaledRope =
    ropes<RopeType::linear, RopeType::llama3, RopeType::yarn>("rope types linear, llama3 and yarn");
constexpr Scope kGrownRope = ropes<RopeType::llama3, RopeType::yarn>("rope types llama3 and yarn");
constexpr Scope kLlama3Rope = ropes<RopeType::llama3>("rope type llama3");
constexpr Scope kYarnRope = ropes<RopeType::yarn>("rope type yarn");

const std::array kKeys{
    Key{"run.directory", text<&J::run, &R::directory>(), &kAlways, nullptr,
        "where all of the run's files lie"},
    Key{"run.threads", integer<&J::run, &R::threads>(0, 1024), &kAlways, nullptr,
        "threads of a rank; 0: cores / ranks, at least 1"},
    Key{"run.executor", choice<&J::run, &R::executor>(kExecutorNames), &kAlways, nullptr,
        "queues ordered by events only, or the list's order"},

    Key{"train.steps", integer<&J::train, &T::steps>(1), &kAlways, &kAlways, "optimizer steps in all"},
    Key{"train.global_batch", integer<&J::train, &T::global_batch>(1, kLargeSize), &kAlways, &kAlways,
        "samples per step, over all data-parallel ranks"},
    Key{"train.micro_batch", integer<&J::train, &T::micro_batch>(1, kLargeSize), &kAlways, nullptr,
        "samples per micro-batch of one data-parallel rank"},
    Key{"train.sequence", integer<&J::train, &T::sequence>(1, kLargeSize), &kAlways, &kAlways,
        "tokens per sample"},
    Key{"train.seed", integer<&J::train, &T::seed>(0), &kAlways, nullptr,
        "of the initial weights and the data order"},

    Key{"precision", choice<&J::precision>(kPrecisionNames), &kAlways, nullptr,
        "of activations and products; fp64 is for tests"},

    Key{"layout.tp", integer<&J::layout, &L::tp>(1, kLargeSize), &kAlways, nullptr, "tensor-parallel ranks"},
    Key{"layout.cp", integer<&J::layout, &L::cp>(1, kLargeSize), &kAlways, nullptr, "context-parallel ranks"},
    Key{"layout.dp", integer<&J::layout, &L::dp>(1, kLargeSize), &kAlways, nullptr, "data-parallel ranks"},
    Key{"layout.pp", integer<&J::layout, &L::pp>(1, kLargeSize), &kAlways, nullptr, "pipeline stages"},
    Key{"layout.vpp", integer<&J::layout, &L::vpp>(1, kLargeSize), &kAlways, nullptr, "chunks per stage"},
    Key{"layout.ep", integer<&J::layout, &L::ep>(1, kLargeSize), &kAlways, nullptr, "expert-parallel ranks"},
    Key{"layout.etp", integer<&J::layout, &L::etp>(1, kLargeSize), &kAlways, nullptr,
        "tensor-parallel ranks within an expert"},
    Key{"schedule", choice<&J::schedule>(kScheduleNames), &kAlways, nullptr,
        "order of the pipeline's micro-batches"},

    Key{"checkpoint.every", integer<&J::checkpoint, &CheckpointSettings::every>(0), &kAlways, nullptr,
        "steps between checkpoints; 0: one at the end"},
    Key{"checkpoint.keep", integer<&J::checkpoint, &CheckpointSettings::keep>(1), &kAlways, nullptr,
        "how many checkpoints stay"},

    Key{"data.train", text<&J::data, &DataSettings::train>(), &kAlways, nullptr,
        "prefix of a .bin/.idx pair"},
    Key{"data.held_out", text<&J::data, &DataSettings::held_out>(), &kAlways, nullptr,
        "prefix of a pair on which the finished model is evaluated; empty: none"},
    Key{"data.separate_documents", boolean<&J::data, &DataSettings::separate_documents>(), &kAlways, nullptr,
        "whether attention stops at document boundaries"},

    Key{"optimizer.learning_rate", number<&J::optimizer, &O::learning_rate>(0), &kAlways, nullptr,
        "its peak"},
    Key{"optimizer.beta1", number<&J::optimizer, &O::beta1>(0, 1), &kAlways, nullptr, "AdamW's first moment"},
    Key{"optimizer.beta2", number<&J::optimizer, &O::beta2>(0, 1), &kAlways, nullptr,
        "AdamW's second moment"},
    Key{"optimizer.eps", number_above<&J::optimizer, &O::eps>(0), &kAlways, nullptr, "added to the root"},
    Key{"optimizer.weight_decay", number<&J::optimizer, &O::weight_decay>(0), &kAlways, nullptr,
        "decoupled; on matrices, not on norms and biases"},
    Key{"optimizer.clip", number<&J::optimizer, &O::clip>(0), &kAlways, nullptr,
        "global gradient norm; 0: none"},
    Key{"optimizer.warmup_steps", integer<&J::optimizer, &O::warmup_steps>(0), &kAlways, nullptr,
        "of linear growth to learning_rate"},
    Key{"optimizer.decay", choice<&J::optimizer, &O::decay>(kDecayNames), &kAlways, nullptr,
        "after the warm-up"},
    Key{"optimizer.decay_steps", integer<&J::optimizer, &O::decay_steps>(0), &kAlways, nullptr,
        "0: cosine: all after the warm-up; wsd: the last fifth, linear"},
    Key{"optimizer.min_ratio", number<&J::optimizer, &O::min_ratio>(0, 1), &kAlways, nullptr,
        "of learning_rate, where the decay ends"},

    Key{"guard", choice<&J::guard>(kGuardPolicyNames), &kAlways, nullptr,
        "what a step that is not finite does"},

    Key{"model.directory", text<&J::model_directory>(), &kAlways, nullptr,
        "Hugging Face directory to start from; empty: weights from train.seed"},
    Key{"model.family", choice<&J::model, &M::family>(kFamilyNames, 1), &kModel, nullptr,
        "whose block structure and weight names; from model.directory where that is given alone"},
    Key{"model.vocab_size", integer<&J::model, &M::vocab_size>(1, kLargeSize), &kModel, &kModel, "V"},
    Key{"model.hidden_size", integer<&J::model, &M::hidden_size>(1, kLargeSize), &kModel, &kModel, "D"},
    Key{"model.intermediate_size", integer<&J::model, &M::intermediate_size>(1, kLargeSize), &kModel,
        &kEveryDense, "F of dense layers; mixtral: of an expert"},
    Key{"model.num_hidden_layers", integer<&J::model, &M::num_hidden_layers>(1, 1 << 20), &kModel, &kModel,
        "layers"},
    Key{"model.num_attention_heads", integer<&J::model, &M::num_attention_heads>(1, 1 << 20), &kModel,
        &kModel, "H"},
    Key{"model.num_key_value_heads", integer<&J::model, &M::num_key_value_heads>(1, 1 << 20), &kModel,
        nullptr, "G"},
    Key{"model.head_dim", integer<&J::model, &M::head_dim>(2, 1 << 20), &kModel, nullptr, "N"},
    Key{"model.rms_norm_eps", number_above<&J::model, &M::rms_norm_eps>(0, 1), &kModel, nullptr,
        "inside the root"},
    Key{"model.max_position_embeddings", integer<&J::model, &M::max_position_embeddings>(1), &kModel, nullptr,
        "the longest sequence"},
    Key{"model.tie_word_embeddings", boolean<&J::model, &M::tie_word_embeddings>(), &kModel, nullptr,
        "one matrix for embedding and head"},
    Key{"model.initializer_range", number<&J::model, &M::initializer_range>(0, 1), &kModel, nullptr,
        "deviation of the initial matrices"},
    Key{"model.attention_bias", boolean<&J::model, &M::attention_bias>(), &kBiased, nullptr,
        "on q, k, v and o"},
    Key{"model.mlp_bias", boolean<&J::model, &M::mlp_bias>(), &kLlama, nullptr, "on gate, up and down"},
    Key{"model.use_sliding_window", boolean<&J::model, &M::use_sliding_window>(), &kQwen, nullptr,
        "whether sliding_window counts"},
    Key{"model.sliding_window", integer<&J::model, &M::sliding_window>(0), &kWindowed, nullptr,
        "tokens a query sees, itself included; 0: all before it"},
    Key{"model.max_window_layers", integer<&J::model, &M::max_window_layers>(0), &kQwenDense, nullptr,
        "the first layer with the window, without layer_types"},
    Key{"model.layer_types",
        TextsField{[](Job& job) -> std::vector<std::string>& { return job.model.layer_types; }}, &kQwenDense,
        nullptr, "full_attention or sliding_attention, per layer"},
    Key{"model.num_local_experts", integer<&J::model, &M::num_experts>(1, 1 << 20), &kMixtral, &kMixtral,
        "E"},
    Key{"model.num_experts", integer<&J::model, &M::num_experts>(0, 1 << 20), &kQwenMoe, &kQwenMoe, "E"},
    Key{"model.num_experts_per_tok", integer<&J::model, &M::num_experts_per_tok>(1, 1 << 20), &kMoe, &kMoe,
        "K"},
    Key{"model.moe_intermediate_size", integer<&J::model, &M::moe_intermediate_size>(1, kLargeSize),
        &kQwenMoe, &kQwenMoe, "F of an expert"},
    Key{"model.norm_topk_prob", boolean<&J::model, &M::norm_topk_prob>(), &kQwenMoe, nullptr,
        "whether the K weights are divided by their sum"},
    Key{"model.decoder_sparse_step", integer<&J::model, &M::decoder_sparse_step>(1), &kQwenMoe, nullptr,
        "layer i is MoE where it divides i + 1"},
    Key{"model.mlp_only_layers",
        IntegersField{[](Job& job) -> std::vector<int64_t>& { return job.model.mlp_only_layers; }}, &kQwenMoe,
        nullptr, "layers that stay dense"},
    Key{"model.router_aux_loss_coef", number<&J::model, &M::router_aux_loss_coef>(0), &kMoe, nullptr,
        "of the load-balancing loss"},
    Key{"model.router_z_loss_coef", number<&J::model, &M::router_z_loss_coef>(0), &kMoe, nullptr,
        "of mean (log sum exp)^2 of the router's logits"},
    Key{"model.output_router_logits", boolean<&J::model, &M::output_router_logits>(), &kMoe, nullptr,
        "whether these two losses count"},

    Key{"model.rope_parameters.rope_type", choice<&J::model, &M::rope, &Rope::type>(kRopeTypeNames), &kModel,
        nullptr, "how angles are scaled"},
    Key{"model.rope_parameters.rope_theta", number_above<&J::model, &M::rope, &Rope::theta>(1), &kModel,
        nullptr, "base of the angles"},
    Key{"model.rope_parameters.factor", number<&J::model, &M::rope, &Rope::factor>(1), &kScaledRope,
        &kScaledRope, "how much longer the context became"},
    Key{"model.rope_parameters.original_max_position_embeddings",
        integer<&J::model, &M::rope, &Rope::original_max_position_embeddings>(1), &kGrownRope, &kGrownRope,
        "the context before"},
    Key{"model.rope_parameters.low_freq_factor", number_above<&J::model, &M::rope, &Rope::low_freq_factor>(0),
        &kLlama3Rope, &kLlama3Rope, "longer waves are scaled"},
    Key{"model.rope_parameters.high_freq_factor",
        number_above<&J::model, &M::rope, &Rope::high_freq_factor>(0), &kLlama3Rope, &kLlama3Rope,
        "shorter waves are kept"},
    Key{"model.rope_parameters.beta_fast", number_above<&J::model, &M::rope, &Rope::beta_fast>(0), &kYarnRope,
        nullptr, "turns beyond which a dim is kept"},
    Key{"model.rope_parameters.beta_slow", number_above<&J::model, &M::rope, &Rope::beta_slow>(0), &kYarnRope,
        nullptr, "turns below which a dim is scaled"},
    Key{"model.rope_parameters.truncate", boolean<&J::model, &M::rope, &Rope::truncate>(), &kYarnRope,
        nullptr, "whether the bounds between are whole dims"},
    Key{"model.rope_parameters.attention_factor",
        number_above<&J::model, &M::rope, &Rope::attention_factor>(0), &kYarnRope, nullptr,
        "on cos and sin; 0.1 ln(factor) + 1"},
};

}  // namespace

std::span<const Key> job_keys() {
  return kKeys;
}

}  // namespace pleat::config
