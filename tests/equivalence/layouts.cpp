// SPDX-License-Identifier: Apache-2.0
// N ranks are one rank: ten steps under each layout beside the same ten on one rank. Bit-equal where the
// order of sums is the same, within derived bounds elsewhere.
#include <gtest/gtest.h>

#include "compare.h"
#include "jobs.h"

namespace pleat::equivalence {
namespace {

struct Case {
  const char* name;
  TinyModel model;
  Overrides layout;
  bool same_bits;  // as one rank
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.name;
}

class Layouts : public ::testing::TestWithParam<Case> {
 protected:
  Jobs jobs;
};

std::vector<Case> cases() {
  const TinyModel dense = TinyModel::dense, tied = TinyModel::tied, experts = TinyModel::experts,
                  balanced = TinyModel::balanced;
  return {
      {"dense_pp2", dense, {"layout.pp=2"}, true},
      {"dense_pp4", dense, {"layout.pp=4"}, true},
      {"dense_dp2_one_micro_batch", dense, {"layout.dp=2", "train.global_batch=2"}, true},
      {"dense_dp4_one_micro_batch", dense, {"layout.dp=4", "train.global_batch=4"}, true},
      {"dense_dp2", dense, {"layout.dp=2"}, false},
      {"dense_dp4", dense, {"layout.dp=4"}, false},
      {"dense_pp2_dp2", dense, {"layout.pp=2", "layout.dp=2"}, false},
      {"tied_pp2", tied, {"layout.pp=2"}, true},
      {"tied_pp2_dp2", tied, {"layout.pp=2", "layout.dp=2"}, false},
      {"experts_pp2", experts, {"layout.pp=2"}, true},
      {"experts_pp4", experts, {"layout.pp=4"}, true},
      {"experts_dp2", experts, {"layout.dp=2"}, false},
      {"experts_dp4", experts, {"layout.dp=4"}, false},
      {"experts_pp2_dp2", experts, {"layout.pp=2", "layout.dp=2"}, false},
      {"experts_dp2_ep2", experts, {"layout.dp=2", "layout.ep=2"}, false},
      {"experts_dp4_ep2", experts, {"layout.dp=4", "layout.ep=2"}, false},
      {"experts_dp4_ep4", experts, {"layout.dp=4", "layout.ep=4"}, false},
      {"experts_pp2_dp2_ep2", experts, {"layout.pp=2", "layout.dp=2", "layout.ep=2"}, false},
      {"balanced_pp2", balanced, {"layout.pp=2"}, true},
      {"balanced_dp2_ep2", balanced, {"layout.dp=2", "layout.ep=2"}, false},
      {"balanced_pp2_dp2_ep2", balanced, {"layout.pp=2", "layout.dp=2", "layout.ep=2"}, false},
  };
}

TEST_P(Layouts, EqualOneRank) {
  const Case& c = GetParam();
  const config::Job job = jobs.job(c.model, c.layout);
  const Overrides batch{fmt::format("train.global_batch={}", job.train.global_batch)};
  const config::Job one_rank = jobs.job(c.model, batch);
  const Recording want = record(one_rank);
  const Recording got = record(job);
  EXPECT_TRUE(same_bits(record(job), got)) << "the same layout twice";
  if (c.same_bits) {
    EXPECT_TRUE(same_bits(got, want));
    return;
  }
  EXPECT_EQ(got.steps[0].token_losses, want.steps[0].token_losses);
  const Recording exact = record(jobs.job(c.model, batch, {"precision=fp64"}));
  EXPECT_TRUE(within_roundings(got, want, exact));
  TrialOptions beside;
  beside.from = &want;
  const int64_t micro_batches = job.train.global_batch / job.train.micro_batch;
  const int64_t rows = job.layout.ep > 1 ? job.train.global_batch * job.train.sequence : 0;
  EXPECT_TRUE(
      within_order_of_sums(record(job, beside), want, magnitudes(one_rank, want), micro_batches, rows));
}

INSTANTIATE_TEST_SUITE_P(, Layouts, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace pleat::equivalence
