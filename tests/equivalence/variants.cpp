// SPDX-License-Identifier: Apache-2.0
// What may not change a bit: the schedule, the executor, the order in which it takes runnable work, the
// threads. And bf16, where the same holds.
#include <gtest/gtest.h>

#include "compare.h"
#include "jobs.h"

namespace pleat::equivalence {
namespace {

const Overrides kFourRanks{"layout.pp=2", "layout.dp=2", "layout.ep=2"};

class Variants : public ::testing::Test {
 protected:
  Recording of(TinyModel model, const Overrides& layout, const Overrides& more = {},
               const TrialOptions& options = {}) {
    return record(jobs.job(model, layout, more), options);
  }
  Jobs jobs;
};

TEST_F(Variants, Schedules) {
  for (const Overrides& layout : {Overrides{"layout.pp=2"}, Overrides{"layout.pp=4"}})
    for (TinyModel model : {TinyModel::tied, TinyModel::balanced})
      EXPECT_TRUE(same_bits(of(model, layout, {"schedule=gpipe"}), of(model, layout, {"schedule=1f1b"})));
  EXPECT_TRUE(same_bits(of(TinyModel::balanced, kFourRanks, {"schedule=gpipe"}),
                        of(TinyModel::balanced, kFourRanks, {"schedule=1f1b"})));
}

TEST_F(Variants, Executors) {
  TrialOptions in_order;
  in_order.order = program::Order::in_order;
  for (const Overrides& layout :
       {Overrides{}, Overrides{"layout.pp=4"}, Overrides{"layout.dp=4", "layout.ep=4"}, kFourRanks})
    EXPECT_TRUE(same_bits(of(TinyModel::balanced, layout, {}, in_order), of(TinyModel::balanced, layout)));
}

void expect_seeds(const config::Job& job, uint64_t seeds) {
  const Recording want = record(job);
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    TrialOptions shuffled;
    shuffled.shuffle_seed = seed;
    EXPECT_TRUE(same_bits(record(job, shuffled), want)) << "seed " << seed;
  }
}

TEST_F(Variants, FourOrdersOfRunnableWork) {
  expect_seeds(jobs.job(TinyModel::balanced, kFourRanks), 4);
}

class SlowVariants : public Variants {};

TEST_F(SlowVariants, FiftyOrdersOfRunnableWork) {
  expect_seeds(jobs.job(TinyModel::balanced, kFourRanks), 50);
  expect_seeds(jobs.job(TinyModel::tied, {"layout.pp=4"}), 50);
}

TEST_F(Variants, Threads) {
  for (const char* precision : {"precision=fp32", "precision=bf16"})
    for (const Overrides& layout : {Overrides{}, kFourRanks}) {
      const Recording want = of(TinyModel::balanced, layout, {"run.threads=1", precision});
      for (const char* threads : {"run.threads=2", "run.threads=3"})
        EXPECT_TRUE(same_bits(of(TinyModel::balanced, layout, {threads, precision}), want))
            << threads << precision;
    }
}

TEST_F(Variants, StagesInBf16) {
  for (TinyModel model : {TinyModel::tied, TinyModel::balanced}) {
    const Recording want = of(model, {"precision=bf16"});
    for (const char* stages : {"layout.pp=2", "layout.pp=4"})
      EXPECT_TRUE(same_bits(of(model, {"precision=bf16", stages}), want)) << stages;
  }
}

/// Gradients are fp32 sums of products of bf16 numbers, so the bound on the order of sums is that of fp32.
TEST_F(Variants, RanksInBf16) {
  const config::Job one_rank = jobs.job(TinyModel::balanced, {"precision=bf16"});
  const Recording want = record(one_rank);
  TrialOptions beside;
  beside.from = &want;
  const std::vector<Tensors> terms = magnitudes(one_rank, want);
  for (const Overrides& layout : {Overrides{"layout.dp=4"}, kFourRanks}) {
    const config::Job job = jobs.job(TinyModel::balanced, layout, {"precision=bf16"});
    EXPECT_TRUE(same_bits(record(job), record(job)));
    EXPECT_TRUE(within_order_of_sums(record(job, beside), want, terms, job.train.global_batch,
                                     job.layout.ep > 1 ? job.train.global_batch * job.train.sequence : 0));
  }
}

}  // namespace
}  // namespace pleat::equivalence
