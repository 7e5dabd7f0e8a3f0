// SPDX-License-Identifier: Apache-2.0
// Compiled Programs as text, one of each schedule.
#include "../verify/programs.h"

#include <gtest/gtest.h>

#include "golden.h"

namespace pleat::compile {
namespace {

TEST(Programs, TwoStagesTwoReplicasTwoExpertGroups) {
  const Request request = verify::small_request(verify::expert_model(2), {.dp = 2, .pp = 2, .ep = 2}, 2);
  expect_golden(program::to_text(compile(request)), "experts-pp2-dp2-ep2.program");
}

TEST(Programs, TwoStagesInTheOrderOfGpipe) {
  Request request = verify::small_request(verify::dense_model(2), {.pp = 2}, 3);
  request.schedule = config::Schedule::gpipe;
  expect_golden(program::to_text(compile(request)), "dense-pp2-gpipe.program");
}

}  // namespace
}  // namespace pleat::compile
