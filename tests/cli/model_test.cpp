// SPDX-License-Identifier: Apache-2.0
// forward on a tiny model, and the road of a user: tokenize, train, go on, evaluate, generate.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"
#include "checkpoint/safetensors.h"
#include "model/families/parameters.h"
#include "program.h"

namespace pleat::cli {
namespace {

constexpr int64_t kSamples = 4, kSequence = 6;

void write_tokens(const std::string& path, int64_t last = 255) {
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < kSamples * kSequence; ++i) ids.push_back((37 * i + 11) % 256);
  ids.back() = last;
  checkpoint::SafetensorsWriter writer(path, {{"input_ids", base::DType::i64, {kSamples, kSequence}}});
  writer.write("input_ids", std::as_bytes(std::span(ids)));
  writer.commit();
}

std::vector<float> floats(const checkpoint::SafetensorsFile& file, const std::string& name) {
  const checkpoint::TensorInfo& tensor = file.tensor(name);
  std::vector<float> values(static_cast<size_t>(tensor.shape.elements()));
  file.read(tensor, base::DType::f32, std::as_writable_bytes(std::span(values)));
  return values;
}

std::vector<std::string> forward_words(std::vector<std::string> more) {
  std::vector<std::string> words{"forward", "--model", "model", "--tokens", "ids.safetensors", "--out"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(Forward, WritesLogitsLossAndEveryGradient) {
  const Folder folder;
  write_tiny_model(folder.path() / "model");
  write_tokens(folder / "ids.safetensors");
  const Outcome outcome = run_pleat(forward_words({"out.safetensors", "--gradients"}), folder.path());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const checkpoint::SafetensorsFile out(folder / "out.safetensors");
  EXPECT_EQ(out.tensor("logits").shape, (base::Shape{kSamples, kSequence, 256}));
  const float loss = floats(out, "loss")[0];
  // Weights of deviation 0.02 say almost nothing: the loss of a uniform guess.
  EXPECT_NEAR(loss, std::log(256.0), 0.05);
  ASSERT_TRUE(outcome.out.starts_with("loss ")) << outcome.out;
  EXPECT_EQ(std::stof(outcome.out.substr(5)), loss) << "nine digits say an fp32 number exactly";
  for (const model::HuggingFaceTensor& tensor : model::hugging_face_tensors(tiny_model()))
    EXPECT_EQ(out.tensor("grad." + tensor.name).shape, tensor.shape) << tensor.name;
}

TEST(Forward, LayoutsAndKernelsAgree) {
  const Folder folder;
  write_tiny_model(folder.path() / "model");
  write_tokens(folder / "ids.safetensors");
  ASSERT_EQ(run_pleat(forward_words({"one.safetensors"}), folder.path()).code, 0);
  const std::vector<float> one = floats(checkpoint::SafetensorsFile(folder / "one.safetensors"), "logits");
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"o.safetensors", "layout.pp=2", "layout.dp=2", "layout.ep=2"},
        std::vector<std::string>{"o.safetensors", "--kernels", "ref"},
        std::vector<std::string>{"o.safetensors", "--dtype", "fp64"}}) {
    const Outcome outcome = run_pleat(forward_words(more), folder.path());
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const std::vector<float> other = floats(checkpoint::SafetensorsFile(folder / "o.safetensors"), "logits");
    float largest = 0, difference = 0;
    for (size_t i = 0; i < one.size(); ++i) {
      largest = std::max(largest, std::abs(one[i]));
      difference = std::max(difference, std::abs(one[i] - other[i]));
    }
    // A few dozen fp32 roundings on the way of a logit, each of its own size at most.
    EXPECT_LE(difference, 64 * 0x1p-24F * largest) << more[1];
  }
}

TEST(Forward, RefusesWhatDoesNotFit) {
  const Folder folder;
  write_tiny_model(folder.path() / "model");
  write_tokens(folder / "ids.safetensors", 256);
  const Outcome id = run_pleat(forward_words({"out.safetensors"}), folder.path());
  EXPECT_EQ(id.code, 2);
  EXPECT_NE(id.err.find("outside the vocabulary of 256"), std::string::npos) << id.err;
  write_tokens(folder / "ids.safetensors");
  const Outcome dp = run_pleat(forward_words({"out.safetensors", "layout.dp=3"}), folder.path());
  EXPECT_EQ(dp.code, 2);
  EXPECT_NE(dp.err.find("4 samples: choose one of 1, 2, 4"), std::string::npos) << dp.err;
  EXPECT_FALSE(std::filesystem::exists(folder / "out.safetensors"));
}

TEST(Road, TokenizeTrainResumeEvaluateGenerateReport) {
  const Folder folder;
  folder.write("job.yaml", tiny_job());
  std::string text;
  for (int i = 0; i < 200; ++i) text += fmt::format("{} is a number. ", i);
  folder.write("text", text);
  ASSERT_EQ(run_pleat({"data", "tokenize", "text", "--out", "tokens"}, folder.path()).code, 0);

  const Outcome first = run_pleat({"train", "job.yaml", "checkpoint.every=1", "--steps", "2"}, folder.path());
  ASSERT_EQ(first.code, 0) << first.err;
  const Outcome again = run_pleat({"train", "job.yaml"}, folder.path());
  EXPECT_EQ(again.code, 2) << "a used run directory";
  EXPECT_NE(again.err.find("--resume"), std::string::npos) << again.err;
  const Outcome rest = run_pleat({"train", "job.yaml", "--resume", "runs/tiny"}, folder.path());
  ASSERT_EQ(rest.code, 0) << rest.err;
  EXPECT_NE(rest.out.find("step 4/4"), std::string::npos) << rest.out;

  const Outcome evaluated = run_pleat(
      {"evaluate", "--model", "runs/tiny/final", "--data", "tokens", "--out", "runs/tiny/held_out.json"},
      folder.path());
  ASSERT_EQ(evaluated.code, 0) << evaluated.err;
  EXPECT_NE(evaluated.out.find(" bits per byte\n"), std::string::npos) << evaluated.out;
  const Outcome ending =
      run_pleat({"evaluate", "--model", "runs/tiny/final", "--data", "tokens.bin"}, folder.path());
  EXPECT_EQ(ending.code, 2);
  EXPECT_NE(
      ending.err.find("tokens.bin: a token file is named by the prefix of its two files: leave .bin away"),
      std::string::npos)
      << ending.err;
  const Outcome written = run_pleat(
      {"generate", "--model", "runs/tiny/final", "--prompt", "7 is", "--tokens", "5"}, folder.path());
  ASSERT_EQ(written.code, 0) << written.err;
  EXPECT_TRUE(written.out.starts_with("7 is")) << written.out;
  EXPECT_EQ(written.out.size(), std::string("7 is").size() + 5 + 1);

  const std::string before = base::read_text(folder.path() / "runs/tiny/report.html");
  EXPECT_EQ(before.find("held-out"), std::string::npos);
  folder.write("runs/tiny/sample.txt", written.out);
  const Outcome reported = run_pleat({"report", "runs/tiny"}, folder.path());
  ASSERT_EQ(reported.code, 0) << reported.err;
  EXPECT_EQ(reported.out, "runs/tiny/report.html\n");
  const std::string after = base::read_text(folder.path() / "runs/tiny/report.html");
  EXPECT_NE(after.find("class=\"mark leftward\""), std::string::npos) << "the held-out point";
  EXPECT_NE(after.find("<h2>Sample</h2>"), std::string::npos);
  EXPECT_EQ(run_pleat({"report", "runs/none"}, folder.path()).code, 2);
}

}  // namespace
}  // namespace pleat::cli
