// SPDX-License-Identifier: Apache-2.0
// What compile produces is accepted, for many layouts, schedules and purposes; and it comes back from its
// text.
#include <gtest/gtest.h>

#include "programs.h"
#include "verify/verify.h"

namespace pleat::verify {
namespace {

using compile::Purpose;

struct Case {
  std::string name;
  compile::Request request;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

layout::Degrees degrees(int64_t pp, int64_t dp, int64_t ep) {
  layout::Degrees d;
  d.pp = pp, d.dp = dp, d.ep = ep;
  return d;
}

compile::Request with(compile::Request request, config::Schedule schedule,
                      model::AuxiliaryScope scope = model::AuxiliaryScope::micro_batch) {
  request.schedule = schedule;
  request.scope = scope;
  return request;
}

std::vector<Case> cases() {
  using config::Schedule;
  std::vector<Case> all;
  const std::pair<Purpose, std::string> purposes[]{{Purpose::train, "train"},
                                                   {Purpose::gradients, "gradients"},
                                                   {Purpose::forward, "forward"},
                                                   {Purpose::generate, "generate"}};
  for (const auto& [purpose, name] : purposes) {
    for (int64_t pp : {1, 2, 4})
      for (int64_t dp : {1, 2, 4}) {
        all.push_back({fmt::format("dense_{}_pp{}_dp{}", name, pp, dp),
                       small_request(dense_model(), degrees(pp, dp, 1), 4, purpose)});
        for (int64_t ep : {1, 2, 4})
          if (dp % ep == 0)
            all.push_back({fmt::format("experts_{}_pp{}_dp{}_ep{}", name, pp, dp, ep),
                           small_request(expert_model(), degrees(pp, dp, ep), 4, purpose)});
      }
    for (int64_t pp : {1, 2, 4})
      all.push_back({fmt::format("tied_{}_pp{}", name, pp),
                     small_request(dense_model(4, true), degrees(pp, 2, 1), 4, purpose)});
  }
  for (Schedule schedule : {Schedule::gpipe, Schedule::one_f_one_b})
    for (int64_t micro_batches : {1, 2, 3, 8})
      all.push_back(
          {fmt::format("{}_{}_micro_batches", schedule == Schedule::gpipe ? "gpipe" : "f1b1", micro_batches),
           with(small_request(expert_model(), degrees(4, 2, 2), micro_batches), schedule)});
  all.push_back(
      {"scope_all_ranks", with(small_request(expert_model(), degrees(2, 2, 2), 1, Purpose::gradients),
                               Schedule::one_f_one_b, model::AuxiliaryScope::all_ranks)});
  config::ModelConfig mixed = expert_model();
  mixed.mlp_only_layers = {0, 3};
  mixed.attention_bias = true;
  all.push_back({"mixed_layers_pp2", small_request(mixed, degrees(2, 2, 2))});
  compile::Request bf16 = small_request(expert_model(), degrees(2, 2, 2));
  bf16.activation = base::DType::bf16;
  all.push_back({"bf16", bf16});
  compile::Request fast = small_request(expert_model(), degrees(2, 2, 2));
  fast.catalogue = kernels::catalogue();
  all.push_back({"fast_kernels", fast});
  return all;
}

class Accepts : public testing::TestWithParam<Case> {};

TEST_P(Accepts, ProvesEverything) {
  const program::Program program = compile::compile(GetParam().request);
  const Report report = verify(program);
  EXPECT_TRUE(report.ok()) << to_text(report);
  EXPECT_EQ(report.proved, (std::vector<std::string>{"well-formed", "versions", "lifetimes", "order",
                                                     "channels", "progress", "placements", "contributions"}));
  for (const std::string& asserted : report.asserted)
    EXPECT_EQ(asserted.find("buffer's name"), std::string::npos) << asserted;
}

TEST_P(Accepts, TextIsAnExactInverse) {
  const program::Program program = compile::compile(GetParam().request);
  const std::string text = program::to_text(program);
  const program::Program back = program::from_text(text);
  EXPECT_EQ(back, program);
  EXPECT_EQ(program::to_text(back), text);
}

INSTANTIATE_TEST_SUITE_P(Compiled, Accepts, testing::ValuesIn(cases()),
                         [](const auto& which) { return which.param.name; });

TEST(Peak, IsTheSumOfTheAreasAndTheAllowance) {
  const program::Program program = compile::compile(small_request(expert_model(), degrees(2, 2, 2)));
  const Report report = verify(program);
  ASSERT_EQ(report.peaks.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    int64_t sum = program.allowance;
    for (int64_t bytes : program.lists[i].area_bytes) sum += program::aligned(bytes);
    EXPECT_EQ(report.peaks[i].total(), sum);
    EXPECT_EQ(report.peaks[i].arena, program.arena_bytes(program.lists[i]));
  }
}

}  // namespace
}  // namespace pleat::verify
