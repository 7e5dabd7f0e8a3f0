// SPDX-License-Identifier: Apache-2.0
// Every way a job can be wrong: the place, the reason and the way out must be in the message.
#include <array>

#include "jobs.h"

namespace pleat::config {
namespace {

struct Case {
  const char* name;
  std::string text;
  std::vector<const char*> expected;
};

std::string with(std::string_view from, std::string_view to) {
  return replaced(kLlamaJob, from, to);
}
std::string moe_with(std::string_view line) {
  return kQwenMoeJob + "  " + std::string(line) + "\n";
}

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases{
      {"unknown key",
       with("steps", "stepps"),
       {"job.yaml:4:", "train.stepps", "did you mean train.steps?", "global_batch, micro_batch"}},
      {"unknown section",
       with("train:", "trian:"),
       {"job.yaml:3:", "did you mean train?", "run, train, precision, layout"}},
      {"key of another section",
       with("  steps", "  learning_rate"),
       {"did you mean optimizer.learning_rate?"}},
      {"nothing near", with("steps", "qqqqqqqqqqqqqqqqqqqqqq"), {"unknown key", "the keys under train are"}},
      {"duplicate key",
       kLlamaJob + "  vocab_size: 7\n",
       {"job.yaml:15:", "model.vocab_size is written twice"}},
      {"duplicate section", kLlamaJob + "train: {steps: 3}\n", {"job.yaml:15:", "train is written twice"}},
      {"octal", with("100", "0100"), {"job.yaml:4:", "'0100'", "leading zeros"}},
      {"octal 1.2", with("100", "0o100"), {"decimal"}},
      {"hexadecimal", with("100", "0x64"), {"decimal"}},
      {"fraction", with("100", "1.5"), {"train.steps takes an integer"}},
      {"exponent", with("100", "1e3"), {"takes an integer"}},
      {"thousands", with("100", "1_000"), {"takes an integer"}},
      {"plus", with("100", "+100"), {"takes an integer"}},
      {"too large", with("100", "99999999999999999999"), {"64 bits"}},
      {"quoted number", with("100", "\"100\""), {"without quotes"}},
      {"infinite number", kLlamaJob + "optimizer: {clip: .inf}\n", {"optimizer.clip takes a number"}},
      {"nan", kLlamaJob + "optimizer: {clip: nan}\n", {"optimizer.clip takes a number"}},
      {"yes", kLlamaJob + "  tie_word_embeddings: yes\n", {"job.yaml:15:", "true or false", "'yes'"}},
      {"Off", kLlamaJob + "  tie_word_embeddings: Off\n", {"true or false"}},
      {"True", kLlamaJob + "  tie_word_embeddings: True\n", {"true or false"}},
      {"quoted boolean", kLlamaJob + "  tie_word_embeddings: \"true\"\n", {"without quotes"}},
      {"boolean word as text", with("runs/small", "on"), {"job.yaml:2:", "quotes"}},
      {"anchor", with("100", "&a 100"), {"job.yaml:4:", "anchors"}},
      {"anchored mapping", with("train:", "train: &a"), {"anchors"}},
      {"alias", with("run:\n  directory: runs/small", "run: *a"), {"job.yaml:1:"}},
      {"merge key", kLlamaJob + "  <<: {vocab_size: 3}\n", {"job.yaml:15:", "merge keys"}},
      {"tag", with("100", "!!int 100"), {"job.yaml:4:", "tag"}},
      {"tagged mapping", with("train:", "train: !thing"), {"tag"}},
      {"two documents", kLlamaJob + "---\na: 1\n", {"one document"}},
      {"empty", "", {"job.yaml: the job is empty"}},
      {"only a comment", "# nothing\n", {"empty"}},
      {"a list", "- 1\n", {"job.yaml:1:", "not a list"}},
      {"a value", "7\n", {"not one value"}},
      {"no value", with("100", ""), {"job.yaml:4:", "train.steps has no value"}},
      {"null", with("100", "~"), {"has no value"}},
      {"list for a number", with("100", "[100]"), {"job.yaml:4:", "not a list"}},
      {"mapping for a number", with("100", "{a: 1}"), {"train.steps takes an integer, not a mapping"}},
      {"empty mapping for a number", with("100", "{}"), {"not a mapping"}},
      {"value for a section",
       kLlamaJob + "layout: 4\n",
       {"job.yaml:15:", "layout is a section", "tp, cp, dp"}},
      {"value for a list", moe_with("mlp_only_layers: 1"), {"a list of integers"}},
      {"list of lists", moe_with("mlp_only_layers: [[1]]"), {"lists of lists"}},
      {"list of mappings", moe_with("mlp_only_layers: [{a: 1}]"), {"not mappings"}},
      {"key that is a list", kLlamaJob + "[a]: 1\n", {"cannot be a key"}},
      {"broken", kLlamaJob + "  x: 'a' b\n", {"job.yaml:15:", "not YAML"}},
      {"tab", "train:\n\tsteps: 1\n", {"job.yaml:2:", "not YAML"}},
      {"deeply nested", std::string(100000, '['), {"job.yaml:1:"}},
      {"deeply nested keys", "train: " + std::string(100000, '{'), {"job.yaml:1:"}},
      {"unknown choice", kLlamaJob + "precision: fp16\n", {"fp32, bf16, fp64", "did you mean fp32?"}},
      {"unset family", with("llama", "unset"), {"llama, mixtral, qwen3, qwen3_moe"}},
      {"missing key", with("  steps: 100\n", ""), {"job.yaml: train.steps is missing"}},
      {"missing family", with("  family: llama\n", ""), {"needs model.family"}},
      {"no model",
       "train: {steps: 1, global_batch: 1, sequence: 1}\n",
       {"model.family is missing", "model.directory"}},
      {"key of another family",
       kLlamaJob + "  num_experts: 4\n",
       {"job.yaml:15:", "family qwen3_moe", "family llama"}},
      {"key of another rope",
       kLlamaJob + "  rope_parameters: {factor: 4}\n",
       {"rope types linear, llama3 and yarn", "default"}},
      {"missing rope key", kLlamaJob + "  rope_parameters: {rope_type: linear}\n", {"factor is missing"}},
      {"open quote", with("runs/small", "\"runs/small"), {"job.yaml:2:", "is a quote missing?"}},
      {"quoted text of two lines", with("runs/small", "'runs''\n    small'"), {"is a quote missing?"}},
      {"value of two lines", with("runs/small", "runs\n    small"), {"job.yaml:2:", "ends on the line"}},
      {"block text", with("runs/small", "|\n    runs"), {"job.yaml:2:", "ends on the line"}},
      {"control character", with("runs/small", "\"a\\nb\""), {"control characters"}},
  };
  return kCases;
}

TEST(RefuseJob, SaysWhereWhyAndWhatInstead) {
  for (const Case& wrong : cases()) {
    SCOPED_TRACE(wrong.name);
    const std::string message = error_of(wrong.text);
    for (const char* words : wrong.expected)
      EXPECT_NE(message.find(words), std::string::npos) << words << "\nin: " << message;
    EXPECT_EQ(message.rfind("job.yaml", 0), 0u) << message;
  }
}

TEST(RefuseJob, ChecksWhatFieldsSayToEachOther) {
  const std::vector<Case> kCases{
      {"batch",
       "train.global_batch=6",
       {"train.global_batch 6", "train.micro_batch 2 x layout.dp 2 = 4", "choose 4 or 8"}},
      {"small batch", "train.global_batch=2", {"choose 4"}},
      {"zero steps", "train.steps=0", {"at least 1"}},
      {"negative", "layout.dp=-2", {"layout.dp -2 must be at least 1"}},
      {"key-value heads",
       "model.num_key_value_heads=3",
       {"does not divide num_attention_heads 4", "1, 2, 4"}},
      {"odd head", "model.head_dim=25", {"even", "24 or 26"}},
      {"top-k", "model.num_experts_per_tok=9", {"more than the 8 experts"}},
      {"expert axis", "layout.ep=3", {"layout.ep 3 does not divide the 8 experts", "1, 2, 4, 8"}},
      {"layer", "model.mlp_only_layers=[0, 4]", {"4 is no layer", "0 to 3"}},
      {"layer twice", "model.mlp_only_layers=[1, 1]", {"twice"}},
      {"window not counted", "model.sliding_window=8", {"use_sliding_window true"}},
      {"window missing", "model.use_sliding_window=true", {"at least 1"}},
      {"sequence", "train.sequence=100000", {"max_position_embeddings 32768"}},
      {"rows", "train.micro_batch=2000000000", {"32-bit"}},
      {"warm-up", "optimizer.warmup_steps=101", {"train.steps 100"}},
      {"beta", "optimizer.beta2=1", {"less than 1"}},
      {"epsilon", "model.rms_norm_eps=0", {"greater than 0"}},
      {"initial deviation", "model.initializer_range=-0.1", {"at least 0 and at most 1"}},
      {"no experts", "model.num_experts=0", {"this model has none"}},
  };
  for (const Case& wrong : kCases) {
    SCOPED_TRACE(wrong.name);
    const std::string message = error_of(kQwenMoeJob, {wrong.text});
    for (const char* words : wrong.expected)
      EXPECT_NE(message.find(words), std::string::npos) << words << "\nin: " << message;
  }
}

TEST(RefuseJob, ChecksDenseAndRopeFacts) {
  EXPECT_NE(error_of(kLlamaJob, {"layout.ep=2"}).find("this model has none"), std::string::npos);
  EXPECT_NE(error_of(kLlamaJob, {"model.hidden_size=66"}).find("64 or 68"), std::string::npos);
  const std::vector<std::string> rope{
      "model.rope_parameters.rope_type=llama3", "model.rope_parameters.factor=8",
      "model.rope_parameters.original_max_position_embeddings=32", "model.rope_parameters.low_freq_factor=4",
      "model.rope_parameters.high_freq_factor=4"};
  EXPECT_NE(error_of(kLlamaJob, rope).find("greater than low_freq_factor 4"), std::string::npos);
  EXPECT_NE(
      error_of(kLlamaJob, {"optimizer.decay=wsd", "optimizer.warmup_steps=50", "optimizer.decay_steps=60"})
          .find("= 50 that are left"),
      std::string::npos);
}

TEST(RefuseJob, OverridesAreCheckedAsTheFileIs) {
  const std::vector<std::pair<const char*, const char*>> kCases{
      {"train.steps", "not key.path=value"},
      {"=3", "not key.path=value"},
      {"train.stepps=3", "did you mean"},
      {"train.steps=010", "leading zeros"},
      {"train.steps=", "train.steps has no value"},
      {"train.steps=[1]", "not a list"},
      {"train={steps: 3}", "cannot be given"},
      {"train=3", "is a section"},
      {"model.tie_word_embeddings=yes", "true or false"},
      {"train.steps=&a 3", "anchors"},
      {"train.steps=3\n---\n4", "one document"},
  };
  for (const auto& [override, words] : kCases) {
    const std::string message = error_of(kLlamaJob, {override});
    EXPECT_EQ(message.rfind("command line: ", 0), 0u) << message;
    EXPECT_NE(message.find(words), std::string::npos) << message;
  }
}

TEST(RefuseJob, NamesAFileThatCannotBeRead) {
  EXPECT_NE(job_error([] { read_job("/nonexistent/job.yaml"); }).find("/nonexistent/job.yaml"),
            std::string::npos);
  EXPECT_NE(job_error([] { read_job("/"); }).find("cannot be read"), std::string::npos);
}

}  // namespace
}  // namespace pleat::config
