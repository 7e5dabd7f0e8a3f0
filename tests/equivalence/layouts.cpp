// SPDX-License-Identifier: Apache-2.0
// N ranks are one rank: ten steps under each layout beside the same ten on one rank. Bit-equal where the
// order of sums is the same, within derived bounds elsewhere.
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "compare.h"
#include "jobs.h"

namespace pleat::equivalence {
namespace {

/// One model on one rank, and what is compared with it.
class OneRank {
 public:
  explicit OneRank(TinyModel model, Overrides always = {}) : model_(model), always_(std::move(always)) {}

  /// Stages do not change the order of a sum, nor do ranks that have one micro-batch each.
  void has_the_bits_of(const Overrides& layout) {
    SCOPED_TRACE(fmt::format("{}", fmt::join(layout, " ")));
    const Recording got = twice(layout);
    EXPECT_TRUE(same_bits(got, on_one_rank(job(layout))));
  }

  void is_close_to(const Overrides& layout) {
    SCOPED_TRACE(fmt::format("{}", fmt::join(layout, " ")));
    const config::Job spread = job(layout);
    const Recording got = twice(layout);
    const Recording& want = on_one_rank(spread);
    EXPECT_EQ(got.steps[0].token_losses, want.steps[0].token_losses);
    if (!exact_) exact_ = record(job({"precision=fp64"}));
    if (terms_.empty()) terms_ = magnitudes(job({}), want);
    EXPECT_TRUE(within_roundings(got, want, *exact_));
    TrialOptions beside;
    beside.from = &want;
    const int64_t rows = spread.layout.ep > 1 ? spread.train.global_batch * spread.train.sequence : 0;
    EXPECT_TRUE(within_order_of_sums(record(spread, beside), want, terms_, spread.train.global_batch, rows));
  }

 private:
  config::Job job(const Overrides& overrides) const { return jobs_.job(model_, overrides, always_); }

  Recording twice(const Overrides& layout) {
    Recording got = record(job(layout));
    EXPECT_TRUE(same_bits(record(job(layout)), got)) << "the same layout twice";
    return got;
  }

  const Recording& on_one_rank(const config::Job& spread) {
    const int64_t batch = spread.train.global_batch;
    if (!recordings_.contains(batch))
      recordings_[batch] = record(job({fmt::format("train.global_batch={}", batch)}));
    return recordings_[batch];
  }

  TinyModel model_;
  Overrides always_;  // of every job, on one rank too
  Jobs jobs_;
  std::map<int64_t, Recording> recordings_;  // by global batch
  std::optional<Recording> exact_;
  std::vector<Tensors> terms_;
};

TEST(Layouts, Dense) {
  OneRank dense(TinyModel::dense);
  dense.has_the_bits_of({"layout.pp=2"});
  dense.has_the_bits_of({"layout.pp=4"});
  dense.has_the_bits_of({"layout.dp=2", "train.global_batch=2"});
  dense.has_the_bits_of({"layout.dp=4", "train.global_batch=4"});
  dense.has_the_bits_of({"layout.pp=2", "layout.dp=2", "train.global_batch=2"});
  dense.is_close_to({"layout.dp=2"});
  dense.is_close_to({"layout.dp=4"});
  dense.is_close_to({"layout.pp=2", "layout.dp=2"});
}

TEST(Layouts, Tied) {
  OneRank tied(TinyModel::tied);
  tied.has_the_bits_of({"layout.pp=2"});
  tied.has_the_bits_of({"layout.pp=4"});
  tied.has_the_bits_of({"layout.dp=4", "train.global_batch=4"});
  tied.is_close_to({"layout.dp=2"});
  tied.is_close_to({"layout.pp=2", "layout.dp=2"});
}

TEST(Layouts, Experts) {
  OneRank experts(TinyModel::experts);
  experts.has_the_bits_of({"layout.pp=2"});
  experts.has_the_bits_of({"layout.pp=4"});
  experts.is_close_to({"layout.dp=2"});
  experts.is_close_to({"layout.dp=4"});
  experts.is_close_to({"layout.pp=2", "layout.dp=2"});
  experts.is_close_to({"layout.dp=2", "layout.ep=2"});
  experts.is_close_to({"layout.dp=4", "layout.ep=2"});
  experts.is_close_to({"layout.dp=4", "layout.ep=4"});
  experts.is_close_to({"layout.pp=2", "layout.dp=2", "layout.ep=2"});
}

/// The router's losses count, pooled over the layers of all stages.
TEST(Layouts, BalancedExperts) {
  OneRank balanced(TinyModel::balanced);
  balanced.has_the_bits_of({"layout.pp=2"});
  balanced.has_the_bits_of({"layout.pp=4"});
  balanced.is_close_to({"layout.dp=2", "layout.ep=2"});
  balanced.is_close_to({"layout.pp=2", "layout.dp=2", "layout.ep=2"});
}

/// Attention, positions and what counts in the loss restart at documents, which are shorter than samples.
TEST(Layouts, SeparateDocuments) {
  const Jobs jobs;
  EXPECT_NE(record(jobs.job(TinyModel::dense, {"data.separate_documents=true"})).steps[0].token_losses,
            record(jobs.job(TinyModel::dense, {})).steps[0].token_losses);
  OneRank dense(TinyModel::dense, {"data.separate_documents=true"});
  dense.has_the_bits_of({"layout.pp=2"});
  dense.is_close_to({"layout.pp=2", "layout.dp=2"});
  OneRank experts(TinyModel::experts, {"data.separate_documents=true"});
  experts.is_close_to({"layout.pp=2", "layout.dp=2", "layout.ep=2"});
}

}  // namespace
}  // namespace pleat::equivalence
