// SPDX-License-Identifier: Apache-2.0
// generate says what forward says: the same logits for the prompt's last token, and from them the choices
// that temperature, top-p and the seed ask for.
#include "train/generate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "cli/host.h"
#include "program.h"
#include "train/forward.h"

namespace pleat::cli {
namespace {

constexpr int64_t kWindow = 12;

train::GenerateOptions options_for(const std::filesystem::path& model, const std::string& prompt,
                                   config::Precision precision) {
  train::GenerateOptions options;
  options.model = model;
  options.prompt = prompt;
  options.window = kWindow;
  options.precision = precision;
  return options;
}

/// forward's logits of the last token of a text; `padded`: with zeros behind it, which it cannot see.
std::vector<float> forward_row(const std::filesystem::path& model, const std::string& text,
                               config::Precision precision, size_t padded) {
  train::TokenBatch batch{1, static_cast<int64_t>(padded), std::vector<int64_t>(padded)};
  for (size_t i = 0; i < text.size(); ++i) batch.ids[i] = static_cast<unsigned char>(text[i]);
  train::ForwardOptions options;
  options.model = model;
  options.precision = precision;
  options.cores = cores();
  const std::vector<float> logits = train::forward(options, batch).logits;
  const auto row = logits.begin() + static_cast<ptrdiff_t>((text.size() - 1) * 256);
  return {row, row + 256};
}

class Logits : public testing::TestWithParam<config::Precision> {
 protected:
  Logits() { write_tiny_model(model()); }
  std::filesystem::path model() const { return folder_.path() / "model"; }
  std::vector<float> generated(const std::string& prompt) const {
    return train::next_logits(options_for(model(), prompt, GetParam()), host(stderr));
  }
  Folder folder_;
};

TEST_P(Logits, OfATextShorterThanTheWindowAreForwards) {
  const std::vector<float> got = generated("shorter");
  EXPECT_EQ(got, forward_row(model(), "shorter", GetParam(), kWindow)) << "as generate pads it";
  EXPECT_EQ(got, forward_row(model(), "shorter", GetParam(), 7)) << "alone";
}

TEST_P(Logits, OfATextLongerThanTheWindowAreForwardsOfItsEnd) {
  const std::string text = "much longer than that";
  EXPECT_EQ(generated(text), forward_row(model(), text.substr(text.size() - kWindow), GetParam(), kWindow));
}

std::string precision_name(const testing::TestParamInfo<config::Precision>& precision) {
  return std::string(config::name_of(precision.param));
}
INSTANTIATE_TEST_SUITE_P(Precisions, Logits,
                         testing::Values(config::Precision::fp32, config::Precision::bf16,
                                         config::Precision::fp64),
                         precision_name);

TEST(Generate, WritesTheSameInDoubleAsTheLogitsSay) {
  const Folder folder;
  write_tiny_model(folder.path() / "model");
  const train::GenerateOptions options =
      options_for(folder.path() / "model", "The ", config::Precision::fp64);
  const Outcome outcome = run_pleat({"generate", "--model", "model", "--prompt", "The ", "--tokens", "1",
                                     "--window", "12", "--dtype", "fp64"},
                                    folder.path());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::vector<float> row = forward_row(options.model, "The ", options.precision, 4);
  const auto likeliest = std::max_element(row.begin(), row.end()) - row.begin();
  EXPECT_EQ(outcome.out, fmt::format("The {}\n", static_cast<char>(likeliest)));
}

/// Probabilities 0.5, 0.3 and 0.2 in an order that is not theirs.
const std::vector<float> kThree{std::log(0.2f), std::log(0.5f), std::log(0.3f)};

train::GenerateOptions sampling(double temperature, double top_p) {
  train::GenerateOptions options;
  options.temperature = temperature;
  options.top_p = top_p;
  return options;
}

TEST(Choose, IsGreedyAtTemperatureZero) {
  for (double draw : {0.0, 0.5, 0.999}) EXPECT_EQ(train::choose_token(kThree, sampling(0, 1), draw), 1);
}

TEST(Choose, DrawsByProbability) {
  const auto at = [](double draw) { return train::choose_token(kThree, sampling(1, 1), draw); };
  EXPECT_EQ(at(0.0), 1);
  EXPECT_EQ(at(0.49), 1);
  EXPECT_EQ(at(0.51), 2);
  EXPECT_EQ(at(0.79), 2);
  EXPECT_EQ(at(0.81), 0);
  EXPECT_EQ(at(0.999), 0);
}

TEST(Choose, TemperatureIsAPower) {
  // At 0.5 probabilities are squared: 0.25, 0.09 and 0.04 of 0.38.
  const auto at = [](double draw) { return train::choose_token(kThree, sampling(0.5, 1), draw); };
  EXPECT_EQ(at(0.25 / 0.38 - 0.01), 1);
  EXPECT_EQ(at(0.25 / 0.38 + 0.01), 2);
  EXPECT_EQ(at(0.34 / 0.38 - 0.01), 2);
  EXPECT_EQ(at(0.34 / 0.38 + 0.01), 0);
}

TEST(Choose, TopPKeepsTheFewestThatReachIt) {
  // 0.5 and 0.3 reach 0.7; the draw is over 0.8.
  const auto at = [](double draw) { return train::choose_token(kThree, sampling(1, 0.7), draw); };
  EXPECT_EQ(at(0.62), 1);
  EXPECT_EQ(at(0.63), 2);
  EXPECT_EQ(at(0.999), 2);
  EXPECT_EQ(train::choose_token(kThree, sampling(1, 0.4), 0.999), 1) << "the likeliest alone reaches 0.4";
}

TEST(Generate, ASeedIsATextAndTopPIsItsRange) {
  const Folder folder;
  write_tiny_model(folder.path() / "model");
  const auto written = [&](const std::string& seed, const std::string& top_p) {
    const Outcome outcome = run_pleat({"generate", "--model", "model", "--prompt", "a", "--tokens", "20",
                                       "--temperature", "1", "--seed", seed, "--top-p", top_p},
                                      folder.path());
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.out;
  };
  EXPECT_EQ(written("3", "1"), written("3", "1"));
  // Twenty draws among 256 tokens of almost equal weight: the same ones by chance once in 256^20.
  EXPECT_NE(written("3", "1"), written("4", "1"));
  EXPECT_EQ(written("3", "0.000001"),
            run_pleat({"generate", "--model", "model", "--prompt", "a", "--tokens", "20"}, folder.path()).out)
      << "a range of one token is greedy";
}

TEST(Window, BeyondTheModelsPositionsIsRefused) {
  const Folder folder;
  write_tiny_model(folder.path() / "model");
  const Outcome generate =
      run_pleat({"generate", "--model", "model", "--prompt", "a", "--window", "100"}, folder.path());
  EXPECT_EQ(generate.code, 2);
  EXPECT_NE(generate.err.find("100 tokens is more than the model's max_position_embeddings 16"),
            std::string::npos)
      << generate.err;
  folder.write("text", std::string(300, 'x'));
  ASSERT_EQ(run_pleat({"data", "tokenize", "text", "--out", "tokens"}, folder.path()).code, 0);
  const Outcome evaluate =
      run_pleat({"evaluate", "--model", "model", "--data", "tokens", "--sequence", "17"}, folder.path());
  EXPECT_EQ(evaluate.code, 2);
  EXPECT_NE(evaluate.err.find("choose 1 to 16"), std::string::npos) << evaluate.err;
}

}  // namespace
}  // namespace pleat::cli
