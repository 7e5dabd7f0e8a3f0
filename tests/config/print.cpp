// SPDX-License-Identifier: Apache-2.0
// Printing is the exact inverse of reading, and complete.
#include <cmath>
#include <filesystem>
#include <random>

#include "base/philox.h"
#include "config/keys.h"
#include "config/scalars.h"
#include "jobs.h"

namespace pleat::config {
namespace {

TEST(PrintJob, IsCanonical) {
  const std::string text = print_job(parse_job(kLlamaJob, "job.yaml"));
  EXPECT_EQ(text.substr(0, 52), "run:\n  directory: runs/small\n  threads: 0\n  executor");
  EXPECT_NE(text.find("precision: fp32\nlayout:\n  tp: 1\n"), std::string::npos);
  EXPECT_NE(text.find("  rope_parameters:\n    rope_type: default\n    rope_theta: 10000\n"),
            std::string::npos);
  EXPECT_EQ(text.find("num_experts"), std::string::npos) << "no key of another family";
  EXPECT_EQ(print_job(parse_job(text, "printed.yaml")), text);
}

TEST(PrintJob, ShowsEveryKeyThatMeansSomething) {
  for (const std::string& source : {kLlamaJob, kQwenMoeJob}) {
    const Job job = parse_job(source, "job.yaml");
    const Job again = parse_job(print_job(job), "printed.yaml");
    for (const Key& key : job_keys())
      EXPECT_EQ(again.positions.places.contains(key.path), key.scope->holds(job)) << key.path;
    EXPECT_EQ(again, job);
  }
}

/// Random values within each key's own range; only the relations between keys are helped along.
class Randomizer {
 public:
  explicit Randomizer(uint64_t seed) : stream_(seed, "jobs", "test") {}

  Job job() {
    Job result;
    result.model.family = static_cast<Family>(1 + below(4));
    apply_family_defaults(result);
    for (const Key& key : job_keys())
      if (key.path != "model.family" && key.scope->holds(result) && below(2) == 0)
        std::visit([&](const auto& field) { set(field, result); }, key.field);
    relate(result);
    resolve_defaults(result, [](std::string_view) { return true; });
    return result;
  }

 private:
  uint64_t below(uint64_t bound) { return stream_.bits(next_++) % bound; }
  std::string word() {
    static constexpr std::string_view kLetters = "abz09 _-./:#'\"\\&*!?,[]{}%@`~=|<>";
    std::string text;
    for (uint64_t length = below(12); length > 0; --length) text += kLetters[below(kLetters.size())];
    static const std::array<std::string, 8> kHard{"", "yes", "null", "~", "010", "- a", "ü", "..."};
    return below(4) == 0 ? kHard[below(kHard.size())] : text;
  }
  void set(const IntegerField& field, Job& job) {
    field.at(job) =
        field.lowest + static_cast<int64_t>(below(
                           static_cast<uint64_t>(std::min<int64_t>(field.highest - field.lowest, 1000)) + 1));
  }
  void set(const NumberField& field, Job& job) {
    const double width = std::isfinite(field.highest) ? field.highest - field.lowest
                                                      : std::ldexp(1.0, static_cast<int>(below(60)) - 30);
    field.at(job) = field.lowest + width * (0.001 + 0.99 * stream_.uniform(next_++));
  }
  void set(const BooleanField& field, Job& job) { field.at(job) = below(2) == 0; }
  void set(const TextField& field, Job& job) { field.at(job) = word(); }
  void set(const ChoiceField& field, Job& job) {
    field.set(job, field.first + below(field.names.size() - field.first));
  }
  void set(const IntegersField&, Job&) {}
  void set(const TextsField&, Job&) {}

  void relate(Job& job) {
    ModelConfig& model = job.model;
    model.num_key_value_heads = 1 + static_cast<int64_t>(below(4));
    model.num_attention_heads = model.num_key_value_heads * (1 + static_cast<int64_t>(below(4)));
    model.hidden_size = model.num_attention_heads * 8;
    model.head_dim = 2 + 2 * static_cast<int64_t>(below(64));
    model.max_position_embeddings = job.train.sequence = 1 + static_cast<int64_t>(below(1000));
    model.num_hidden_layers = 1 + static_cast<int64_t>(below(6));
    job.train.steps += 1;
    job.optimizer.warmup_steps = 0;
    job.optimizer.decay_steps = static_cast<int64_t>(below(static_cast<uint64_t>(job.train.steps)));
    job.layout.ep = 1;
    job.train.global_batch = job.train.micro_batch * job.layout.dp * (1 + static_cast<int64_t>(below(5)));
    relate_experts_and_windows(model);
    Rope& rope = model.rope;  // keys out of scope keep their defaults
    Rope kept{.type = rope.type, .theta = rope.theta};
    if (rope.type != RopeType::default_) kept.factor = 1.0 + rope.factor;
    if (rope.type == RopeType::llama3 || rope.type == RopeType::yarn)
      kept.original_max_position_embeddings = 77;
    if (rope.type == RopeType::llama3) kept.low_freq_factor = 0.7, kept.high_freq_factor = 1e10 / 3;
    if (rope.type == RopeType::yarn) kept.truncate = false, kept.attention_factor = 1.0 / 3;
    rope = kept;
  }
  void relate_experts_and_windows(ModelConfig& model) {
    if (model.family == Family::mixtral || model.family == Family::qwen3_moe)
      model.num_experts = model.num_experts_per_tok + static_cast<int64_t>(below(9));
    if (model.family == Family::qwen3_moe && below(2) == 0) model.mlp_only_layers = {0};
    if (model.has_qk_norm()) model.use_sliding_window = model.sliding_window > 0;
    if (model.family == Family::qwen3 && model.use_sliding_window && below(2) == 0) {
      model.layer_types.assign(static_cast<size_t>(model.num_hidden_layers), "full_attention");
      model.layer_types[0] = "sliding_attention";
    }
  }

  base::RandomStream stream_;
  uint64_t next_ = 0;
};

TEST(PrintJob, ReadsBackAsTheSameJob) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    const Job job = Randomizer(seed).job();
    const std::string text = print_job(job);
    SCOPED_TRACE(text);
    const Job again = parse_job(text, "printed.yaml");
    ASSERT_EQ(again, job);
    ASSERT_EQ(print_job(again), text);
  }
}

TEST(PrintJob, HelpNamesEveryKey) {
  const std::string help = describe_keys();
  for (const Key& key : job_keys()) EXPECT_NE(help.find(key.path), std::string::npos) << key.path;
}

TEST(ReadJob, TakesEveryJobOfTheRepository) {
  int jobs = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(PLEAT_SOURCE_DIR "/configs")) {
    if (entry.path().extension() != ".yaml") continue;
    SCOPED_TRACE(entry.path());
    ++jobs;
    const Job job = read_job(entry.path().string());
    EXPECT_EQ(parse_job(print_job(job), "printed.yaml"), job);
  }
  EXPECT_GE(jobs, 6);
}

}  // namespace
}  // namespace pleat::config
