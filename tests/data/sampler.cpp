// SPDX-License-Identifier: Apache-2.0
// Samples against the token file read directly: what they hold, that an epoch misses nothing, and that
// history is no part of them.
#include "data/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>

#include "../checkpoint/temporary_folder.h"
#include "base/errors.h"

namespace pleat::data {
namespace {

using base::DataError;
using testing::error_of;
using testing::TemporaryFolder;

/// A file of documents of these lengths whose token at position p is p.
class CountingFile {
 public:
  explicit CountingFile(const std::vector<int64_t>& lengths) {
    TokenWriter writer(folder_ / "t", 100'000);
    int32_t next = 0;
    for (int64_t length : lengths) {
      std::vector<int32_t> document(static_cast<size_t>(length));
      std::iota(document.begin(), document.end(), next);
      next += static_cast<int32_t>(length);
      writer.add_document(document);
    }
    writer.commit();
    file_.emplace(folder_ / "t");
  }
  const TokenFile& operator*() const { return *file_; }

 private:
  TemporaryFolder folder_;
  std::optional<TokenFile> file_;
};

Sample sample_of(const Sampler& sampler, int64_t sequence, int64_t i) {
  Sample sample(sequence);
  sampler.sample(i, sample.view());
  return sample;
}

/// Positions, documents and weights by looking every token up.
void expect_described(const TokenFile& file, const Sample& sample, bool separate) {
  int32_t document = 0, position = 0;
  for (size_t i = 0; i < sample.tokens.size(); ++i) {
    const int64_t here = sample.tokens[i];
    if (separate && i > 0 && file.document_of(here) != file.document_of(here - 1)) {
      ++document;
      position = 0;
    }
    EXPECT_EQ(sample.targets[i], here + 1);
    EXPECT_EQ(sample.positions[i], position++);
    EXPECT_EQ(sample.documents[i], document);
    const bool crosses = separate && file.document_of(here) != file.document_of(here + 1);
    EXPECT_EQ(sample.weights[i], crosses ? 0.0f : 1.0f);
  }
}

TEST(Sampler, DescribesDocumentsAtEveryCut) {
  const CountingFile file({5, 0, 1, 1, 9, 0, 0, 2, 14, 3});
  for (const bool separate : {true, false})
    for (int64_t sequence : {1, 2, 3, 7, 34}) {
      const Sampler sampler(*file, {sequence, 1, separate});
      for (int64_t i = 0; i < 3 * sampler.samples_per_epoch(); ++i)
        expect_described(*file, sample_of(sampler, sequence, i), separate);
    }
}

TEST(Sampler, AnEpochVisitsEveryWindowOnce) {
  const CountingFile file({100, 200, 157});
  constexpr int64_t kSequence = 10;
  const Sampler sampler(*file, {kSequence, 42, true});
  const int64_t n = sampler.samples_per_epoch();
  EXPECT_EQ(n, 45);
  std::set<int64_t> shifts;
  std::vector<std::vector<int64_t>> orders;
  for (int64_t epoch = 0; epoch < 8; ++epoch) {
    std::set<int64_t> starts;
    orders.emplace_back();
    for (int64_t k = 0; k < n; ++k) {
      const int64_t start = sampler.start_of(epoch * n + k);
      EXPECT_TRUE(starts.insert(start).second);
      EXPECT_EQ((start - *starts.begin()) % kSequence, 0);
      orders.back().push_back(start / kSequence);
    }
    EXPECT_LE(*starts.rbegin() + kSequence + 1, 457);
    EXPECT_EQ(*starts.rbegin() - *starts.begin(), (n - 1) * kSequence);
    shifts.insert(*starts.begin());
  }
  EXPECT_GT(shifts.size(), 1u);
  EXPECT_NE(orders[0], orders[1]);
}

TEST(Sampler, IsAPureFunctionOfTheNumber) {
  const CountingFile file({50, 60, 70});
  const Sampler once(*file, {8, 3, true}), again(*file, {8, 3, true}), other(*file, {8, 4, true});
  const Sample late = sample_of(once, 8, 1'000'000'007);
  EXPECT_EQ(sample_of(again, 8, 1'000'000'007).tokens, late.tokens);
  int equal = 0;
  for (int64_t i = 0; i < 100; ++i) {
    sample_of(again, 8, 99 - i);
    equal += sample_of(once, 8, i).tokens == sample_of(other, 8, i).tokens ? 1 : 0;
  }
  EXPECT_LT(equal, 50);
  for (int64_t i = 0; i < 100; ++i) EXPECT_EQ(sample_of(once, 8, i).tokens, sample_of(again, 8, i).tokens);
}

TEST(Sampler, RefusesAShortFileAndBadCalls) {
  const CountingFile file({8});
  EXPECT_EQ(Sampler(*file, {7, 0, true}).samples_per_epoch(), 1);
  EXPECT_NE(error_of<DataError>([&] {
              Sampler(*file, {8, 0, true});
            }).find("8 tokens; a sample of sequence 8 needs 9"),
            std::string::npos);
  EXPECT_THROW(Sampler(*file, {0, 0, true}), base::JobError);
  const Sampler sampler(*file, {4, 0, true});
  Sample small(3), right(4);
  EXPECT_THROW(sampler.sample(0, small.view()), base::CheckError);
  EXPECT_THROW(sampler.sample(-1, right.view()), base::CheckError);
}

// A resumed run must go on with the same samples: these numbers never change.
TEST(Sampler, TheOrderIsTheSameForEver) {
  const CountingFile file({1000, 2000, 789});
  const Sampler sampler(*file, {64, 1234, true});
  const std::vector<int64_t> expected{838, 582, 1094, 2630, 1674, 1738, 1669};
  std::vector<int64_t> starts;
  for (int64_t i : {0, 1, 2, 58, 59, 60, 1000}) starts.push_back(sampler.start_of(i));
  EXPECT_EQ(starts, expected);
}

TEST(EvaluationWindows, CountEveryTokenButFirstOnesOnce) {
  for (const bool separate : {true, false})
    for (const auto& lengths :
         std::vector<std::vector<int64_t>>{{2}, {7}, {8}, {9}, {3, 1, 0, 1, 20}, {16, 16, 1}}) {
      const CountingFile file(lengths);
      const EvaluationWindows windows(*file, {4, 0, separate});
      const int64_t tokens = (*file).tokens();
      std::multiset<int32_t> inputs, counted;
      for (int64_t i = 0; i < windows.windows(); ++i) {
        Sample sample(4);
        std::ranges::fill(sample.weights, 9.0f);
        windows.window(i, sample.view());
        const auto used = static_cast<size_t>(std::min<int64_t>(4, tokens - 1 - 4 * i));
        for (size_t k = 0; k < 4; ++k) {
          if (k < used) inputs.insert(sample.tokens[k]);
          if (sample.weights[k] == 1.0f) counted.insert(sample.targets[k]);
          if (k >= used) {
            EXPECT_EQ(sample.tokens[k], 0);
            EXPECT_EQ(sample.targets[k], 0);
            EXPECT_EQ(sample.weights[k], 0.0f);
            EXPECT_EQ(sample.documents[k], sample.documents[used - 1] + 1);
            EXPECT_EQ(sample.positions[k], static_cast<int32_t>(k - used));
          }
        }
        sample.tokens.resize(used);
        expect_described(*file, sample, separate);
      }
      std::multiset<int32_t> all_inputs, all_targets;
      for (int64_t t = 0; t + 1 < tokens; ++t) all_inputs.insert(static_cast<int32_t>(t));
      for (int64_t t = 1; t < tokens; ++t)
        if (!separate || (*file).document_of(t) == (*file).document_of(t - 1))
          all_targets.insert(static_cast<int32_t>(t));
      EXPECT_EQ(inputs, all_inputs);
      EXPECT_EQ(counted, all_targets);
      EXPECT_EQ(windows.counted(), static_cast<int64_t>(all_targets.size()));
    }
}

TEST(EvaluationWindows, RefusesOneToken) {
  const CountingFile file({1});
  EXPECT_THROW(EvaluationWindows(*file, {4, 0, true}), DataError);
  const CountingFile two({2});
  const EvaluationWindows windows(*two, {4, 0, true});
  Sample sample(4);
  EXPECT_EQ(windows.windows(), 1);
  EXPECT_THROW(windows.window(1, sample.view()), base::CheckError);
}

}  // namespace
}  // namespace pleat::data
