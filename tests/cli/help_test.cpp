// SPDX-License-Identifier: Apache-2.0
// Every command explains itself, and whatever no command takes is refused with 2 and the legal choices.
#include <gtest/gtest.h>

#include <cctype>
#include <regex>

#include "program.h"

namespace pleat::cli {
namespace {

using Words = std::vector<std::string>;

std::string joined(const testing::TestParamInfo<Words>& words) {
  std::string name;
  for (const std::string& word : words.param) name += (name.empty() ? "" : "_") + word;
  return name;
}

class Help : public testing::TestWithParam<Words> {};
TEST_P(Help, IsGivenWithExamples) {
  Words words = GetParam();
  words.push_back("--help");
  const Outcome outcome = run_pleat(words);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  std::string command = "pleat";
  for (const std::string& word : GetParam()) command += " " + word;
  EXPECT_NE(outcome.out.find("Usage: " + command + " "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("Examples:\n  " + command), std::string::npos) << outcome.out;
}
INSTANTIATE_TEST_SUITE_P(Commands, Help,
                         testing::Values(Words{"train"}, Words{"verify"}, Words{"simulate"}, Words{"print"},
                                         Words{"explain"}, Words{"generate"}, Words{"evaluate"},
                                         Words{"report"}, Words{"forward"}, Words{"data"},
                                         Words{"data", "split"}, Words{"data", "tokenize"},
                                         Words{"data", "entropy"}, Words{"bench"}),
                         joined);

TEST(HelpOfAll, NamesEveryCommand) {
  const Outcome outcome = run_pleat({"--help"});
  EXPECT_EQ(outcome.code, 0);
  for (const char* name : {"train", "verify", "simulate", "print", "explain", "generate", "evaluate",
                           "report", "forward", "data", "bench"})
    EXPECT_NE(outcome.out.find(std::string("\n  ") + name + " "), std::string::npos) << name;
}

TEST(HelpOfAll, EndsInOneLineEndAndSaysWholeSentences) {
  for (const Words& words : {Words{"--help"}, Words{"train", "--help"}, Words{"data", "split", "--help"}}) {
    const std::string text = run_pleat(words).out;
    EXPECT_TRUE(text.ends_with("\n") && !text.ends_with("\n\n")) << text;
    EXPECT_TRUE(std::isupper(static_cast<unsigned char>(text.front()))) << text;
  }
}

TEST(Version, IsPrinted) {
  const Outcome outcome = run_pleat({"--version"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(std::regex_match(outcome.out, std::regex("pleat \\d+\\.\\d+\\.\\d+\n"))) << outcome.out;
}

TEST(HelpOfTrain, ListsTheKeysOfAJob) {
  const Outcome outcome = run_pleat({"train", "--help"});
  for (const char* key : {"train.steps", "layout.ep", "optimizer.learning_rate", "model.family"})
    EXPECT_NE(outcome.out.find(key), std::string::npos) << key;
}

struct Refusal {
  const char* name;
  Words words;
  const char* says;
};
void PrintTo(const Refusal& refusal, std::ostream* out) {
  *out << refusal.name;
}
std::string name_of_refusal(const testing::TestParamInfo<Refusal>& refusal) {
  return refusal.param.name;
}

class Refused : public testing::TestWithParam<Refusal> {};
TEST_P(Refused, WithTwoAndAReason) {
  const Folder folder;
  folder.write("job.yaml", tiny_job());
  folder.write("empty.yaml", "");
  const Outcome outcome = run_pleat(GetParam().words, folder.path());
  EXPECT_EQ(outcome.code, 2) << outcome.out;
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(outcome.err.starts_with("pleat: ")) << outcome.err;
  EXPECT_NE(outcome.err.find(GetParam().says), std::string::npos) << outcome.err;
}
INSTANTIATE_TEST_SUITE_P(
    BadUse, Refused,
    testing::Values(
        Refusal{"no_command", {}, "pleat --help"},
        Refusal{"unknown_command", {"trian", "job.yaml"}, "did you mean train?"},
        Refusal{"unknown_command_of_data", {"data", "splt", "x"}, "did you mean split?"},
        Refusal{"unknown_option", {"train", "job.yaml", "--stepz", "3"}, "did you mean --steps?"},
        Refusal{"unknown_option_of_all", {"--versoin"}, "did you mean --version?"},
        Refusal{"option_twice", {"train", "job.yaml", "--steps", "3", "--steps=4"}, "--steps is given twice"},
        Refusal{"seed_beyond_64_bits",
                {"generate", "--model", "x", "--prompt", "a", "--seed", "9223372036854775808"},
                "at least 0"},
        Refusal{"threads_without_measure",
                {"explain", "matmul", "bf16", "2x2x2", "--threads", "999999999999"},
                "999999999999 must be from 1 to 1024"},
        Refusal{"rank_beyond_32_bits", {"print", "job.yaml", "--rank", "4294967296"}, "from 0 to 2147483647"},
        Refusal{"missing_argument", {"print"}, "JOB.yaml"},
        Refusal{"missing_option", {"generate", "--model", "x"}, "--prompt"},
        Refusal{"no_number", {"train", "job.yaml", "--steps", "many"}, "'many' is not a whole number"},
        Refusal{"a_fraction", {"train", "job.yaml", "--steps", "2.5"}, "'2.5' is not a whole"},
        Refusal{"negative_steps", {"train", "job.yaml", "--steps=-1"}, "-1 must be from 1"},
        Refusal{"probability_above_one",
                {"generate", "--model", "x", "--prompt", "a", "--top-p", "1.5"},
                "from 0 to 1"},
        Refusal{"unknown_tokenizer",
                {"data", "tokenize", "job.yaml", "--tokenizer", "bpe", "--out", "x"},
                "bytes"},
        Refusal{"unknown_dtype",
                {"forward", "--model", "x", "--tokens", "y", "--out", "z", "--dtype", "fp8"},
                "fp32, bf16, fp64"},
        Refusal{"two_questions", {"print", "job.yaml", "--job", "--expand"}, "choose one"}),
    name_of_refusal);

INSTANTIATE_TEST_SUITE_P(
    BadInput, Refused,
    testing::Values(
        Refusal{"missing_job", {"verify", "nothing.yaml"}, "nothing.yaml"},
        Refusal{"unknown_key", {"print", "job.yaml", "train.stepz=3"}, "did you mean train.steps?"},
        Refusal{"no_override", {"print", "job.yaml", "train.steps"}, "train.steps"},
        Refusal{"illegal_layout", {"verify", "job.yaml", "layout.ep=3"}, "ep"},
        Refusal{"axis_without_operations",
                {"verify", "job.yaml", "layout.tp=2"},
                "no operations yet for axis tp (size 2): choose 1 (command line)"},
        Refusal{"unknown_pass", {"print", "job.yaml", "--after", "recompute"}, "differentiate"},
        Refusal{"rank_out_of_range", {"print", "job.yaml", "--rank", "4"}, "0 to 3"},
        Refusal{"empty_job", {"verify", "empty.yaml"}, "empty.yaml: the job is empty"},
        Refusal{"a_directory_as_job", {"verify", "."}, ".: cannot be read"},
        Refusal{"override_without_value", {"print", "job.yaml", "train.steps="}, "train.steps has no value"},
        Refusal{"stages_without_layers",
                {"verify", "job.yaml", "layout.pp=4", "layout.ep=1"},
                "the model has 2, choose at most that (command line)"},
        Refusal{"more_micro_batches_than_a_list_holds",
                {"print", "job.yaml", "train.global_batch=1000000000"},
                "500000000 micro-batches a step"},
        Refusal{"resume_of_nothing", {"train", "job.yaml", "--resume", ""}, "no run directory is named"},
        Refusal{"resume_of_what_is_not_there",
                {"train", "job.yaml", "--resume", "absent"},
                "absent: there is no run directory"},
        Refusal{"misspelt_operation",
                {"explain", "matmull", "bf16", "2x2x2"},
                "no operation 'matmull': did you mean matmul?"},
        Refusal{"unknown_operation", {"explain", "convolution", "bf16", "2x2x2"}, "explain knows matmul"},
        Refusal{"operation_without_kernel", {"explain", "send", "bf16", "2x2"}, "communication"},
        Refusal{"unknown_dtype_of_operation", {"explain", "matmul", "i32", "2x2x2"}, "bf16, f32 or f64"},
        Refusal{"other_shape", {"explain", "matmul", "bf16", "16x16"}, "MxKxN"},
        Refusal{"no_dim", {"explain", "matmul", "bf16", "16x0x16"}, "MxKxN"},
        Refusal{"missing_tokens", {"train", "job.yaml"}, "tokens"},
        Refusal{"missing_model", {"generate", "--model", "nowhere", "--prompt", "a"}, "nowhere"},
        Refusal{"missing_input", {"data", "tokenize", "absent.txt", "--out", "x"}, "absent.txt"},
        Refusal{"missing_list", {"data", "entropy", "@absent.list"}, "absent.list"},
        Refusal{"missing_directory",
                {"data", "split", "absent", "--train", "a.list", "--held-out", "b.list"},
                "absent"},
        Refusal{"other_key_of_forward",
                {"forward", "--model", "x", "--tokens", "y", "--out", "z", "train.steps=3"},
                "layout.dp"}),
    name_of_refusal);

}  // namespace
}  // namespace pleat::cli
