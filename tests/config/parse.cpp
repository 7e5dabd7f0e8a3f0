// SPDX-License-Identifier: Apache-2.0
// What a legal job becomes, and where its values say they come from.
#include <cmath>

#include "jobs.h"

namespace pleat::config {
namespace {

TEST(ParseJob, TakesValuesAndDefaults) {
  const Job job = parse_job(kLlamaJob, "job.yaml");
  EXPECT_EQ(job.run.directory, "runs/small");
  EXPECT_EQ(job.run.executor, Executor::queues);
  EXPECT_EQ(job.train.steps, 100);
  EXPECT_EQ(job.micro_batches(), 4);
  EXPECT_EQ(job.precision, Precision::fp32);
  EXPECT_EQ(job.schedule, Schedule::one_f_one_b);
  EXPECT_EQ(job.layout, LayoutSettings{});
  EXPECT_EQ(job.guard, GuardPolicy::stop);
  EXPECT_EQ(job.model.num_key_value_heads, 4) << "as many as query heads";
  EXPECT_EQ(job.model.head_dim, 16) << "hidden_size / num_attention_heads";
  EXPECT_EQ(job.model.max_position_embeddings, 2048) << "the class of llama";
  EXPECT_EQ(job.model.rms_norm_eps, 1e-6);
  EXPECT_EQ(job.optimizer.decay_steps, 100);
}

TEST(ParseJob, FamiliesHaveTheirOwnNamesAndDefaults) {
  const Job moe = parse_job(kQwenMoeJob, "job.yaml");
  EXPECT_EQ(moe.model.num_experts, 8);
  EXPECT_FALSE(moe.model.norm_topk_prob);
  const std::string text =
      replaced(replaced(replaced(kLlamaJob, "llama", "mixtral\n  num_local_experts: 4"),
                        "  num_attention_heads: 4", "  num_attention_heads: 4\n  num_key_value_heads: 2"),
               "  vocab_size", "  num_experts_per_tok: 2\n  vocab_size");
  const Job mixtral = parse_job(text, "job.yaml");
  EXPECT_EQ(mixtral.model.num_experts, 4);
  EXPECT_TRUE(mixtral.model.norm_topk_prob);
  EXPECT_EQ(mixtral.model.expert_width(), 128);
  EXPECT_EQ(mixtral.model.rope.theta, 1e6);
  EXPECT_EQ(mixtral.model.rms_norm_eps, 1e-5);
}

TEST(ParseJob, OverridesWinAndTheLastOneMost) {
  const std::vector<std::string> overrides{"train.steps=7",
                                           "layout.dp=4",
                                           "train.steps=9",
                                           "run.directory='a b'",
                                           "optimizer.learning_rate=1e-3",
                                           "model.rope_parameters.rope_theta=500000"};
  const Job job = parse_job(kLlamaJob, "job.yaml", overrides);
  EXPECT_EQ(job.train.steps, 9);
  EXPECT_EQ(job.layout.dp, 4);
  EXPECT_EQ(job.run.directory, "a b");
  EXPECT_EQ(job.optimizer.learning_rate, 1e-3);
  EXPECT_EQ(job.model.rope.theta, 5e5);
}

TEST(ParseJob, SaysWhereAKeyWasWritten) {
  const std::vector<std::string> overrides{"layout.dp=2"};
  const Job job = parse_job(kLlamaJob, "dir/job.yaml", overrides);
  EXPECT_EQ(job.where("run.directory"), "dir/job.yaml:2");
  EXPECT_EQ(job.where("train.steps"), "dir/job.yaml:4");
  EXPECT_EQ(job.where("model.num_attention_heads"), "dir/job.yaml:14");
  EXPECT_EQ(job.where("layout.dp"), "command line");
  EXPECT_EQ(job.where("layout.pp"), "by default");
}

TEST(ParseJob, TakesAModelDirectoryAlone) {
  const Job job = parse_job(
      "train: {steps: 1, global_batch: 1, sequence: 8}\nmodel: {directory: some/where}\n", "job.yaml");
  EXPECT_EQ(job.model_directory, "some/where");
  EXPECT_EQ(job.model, ModelConfig{});
}

TEST(ParseJob, ResolvesRopeTypes) {
  const std::string yarn =
      kLlamaJob + "  rope_parameters: {rope_type: yarn, factor: 4, original_max_position_embeddings: 16}\n";
  const Job job = parse_job(yarn, "job.yaml");
  EXPECT_EQ(job.model.rope.attention_factor, 0.1 * std::log(4.0) + 1.0);
  EXPECT_EQ(job.model.rope.beta_fast, 32.0);
  const std::vector<std::string> given{"model.rope_parameters.attention_factor=1.25"};
  EXPECT_EQ(parse_job(yarn, "job.yaml", given).model.rope.attention_factor, 1.25);
}

TEST(ParseJob, ResolvesTheDecay) {
  const auto decay_steps = [](std::vector<std::string> overrides) {
    return parse_job(kLlamaJob, "job.yaml", overrides).optimizer.decay_steps;
  };
  EXPECT_EQ(decay_steps({"optimizer.warmup_steps=10"}), 90);
  EXPECT_EQ(decay_steps({"optimizer.decay=wsd"}), 20);
  EXPECT_EQ(decay_steps({"optimizer.decay=wsd", "optimizer.warmup_steps=90"}), 10);
  EXPECT_EQ(decay_steps({"optimizer.decay=wsd", "train.steps=1"}), 1);
  EXPECT_EQ(decay_steps({"optimizer.decay=constant"}), 0);
}

TEST(LearningRate, WarmsUpAndDecays) {
  OptimizerSettings optimizer;
  optimizer.learning_rate = 1.0;
  optimizer.warmup_steps = 10;
  optimizer.decay_steps = 90;
  EXPECT_DOUBLE_EQ(learning_rate(optimizer, 100, 1), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(optimizer, 100, 10), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(optimizer, 100, 55), 0.55) << "half way between 1 and 0.1";
  EXPECT_DOUBLE_EQ(learning_rate(optimizer, 100, 100), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(optimizer, 100, 500), 0.1);
  optimizer.decay = Decay::wsd;
  optimizer.decay_steps = 20;
  EXPECT_DOUBLE_EQ(learning_rate(optimizer, 100, 80), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(optimizer, 100, 90), 0.55);
  EXPECT_DOUBLE_EQ(learning_rate(optimizer, 100, 100), 0.1);
  optimizer.decay = Decay::constant;
  EXPECT_DOUBLE_EQ(learning_rate(optimizer, 100, 100), 1.0);
}

}  // namespace
}  // namespace pleat::config
