// SPDX-License-Identifier: Apache-2.0
// The order of F and B on each stage, as the papers draw it.
#include "compile/schedule/schedule.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace pleat::compile {
namespace {

std::string text_of(const std::vector<Work>& order) {
  std::string text;
  for (const Work& work : order)
    text += fmt::format("{}{}{}", text.empty() ? "" : " ", work.phase == program::Phase::forward ? "F" : "B",
                        work.micro_batch);
  return text;
}

TEST(Schedule, GpipeIsAllForwardsThenAllBackwards) {
  for (int stage = 0; stage < 3; ++stage) EXPECT_EQ(text_of(gpipe(stage, 3, 3)), "F0 F1 F2 B0 B1 B2");
}

TEST(Schedule, OneForwardOneBackwardAfterTheWarmUp) {
  EXPECT_EQ(text_of(one_f_one_b(0, 3, 4)), "F0 F1 F2 B0 F3 B1 B2 B3");
  EXPECT_EQ(text_of(one_f_one_b(1, 3, 4)), "F0 F1 B0 F2 B1 F3 B2 B3");
  EXPECT_EQ(text_of(one_f_one_b(2, 3, 4)), "F0 B0 F1 B1 F2 B2 F3 B3");
  EXPECT_EQ(text_of(one_f_one_b(0, 4, 2)), "F0 F1 B0 B1") << "fewer micro-batches than stages";
}

TEST(Schedule, OneForwardOneBackwardHoldsAtMostTheStagesThatFollow) {
  for (int stages = 1; stages <= 6; ++stages)
    for (int stage = 0; stage < stages; ++stage)
      for (int micro_batches = 1; micro_batches <= 9; ++micro_batches) {
        int held = 0, most = 0;
        for (const Work& work : one_f_one_b(stage, stages, micro_batches)) {
          held += work.phase == program::Phase::forward ? 1 : -1;
          most = std::max(most, held);
          ASSERT_GE(held, 0) << "a backward before its forward";
        }
        EXPECT_EQ(held, 0);
        EXPECT_EQ(most, std::min(stages - stage, micro_batches));
      }
}

}  // namespace
}  // namespace pleat::compile
