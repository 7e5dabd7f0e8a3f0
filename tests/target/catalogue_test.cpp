// SPDX-License-Identifier: Apache-2.0
// The first row that serves is taken, every row before it says why not, and nobody serving is an error with
// all reasons.
#include "target/catalogue.h"

#include <gtest/gtest.h>

#include "base/errors.h"

namespace pleat::target {
namespace {

Row row(std::string kernel, std::string refusal, int64_t workspace = 0) {
  return {std::move(kernel), [refusal](const graph::Signature&) { return refusal; },
          [workspace](const graph::Signature&, int threads) { return workspace * threads; }};
}

const graph::Signature kAnything{graph::Op::add, {}, {}, {}, 0};

TEST(Catalogue, TheFirstRowThatServesIsTaken) {
  const Catalogue catalogue{row("fast", "wants bf16", 1), row("middle", "", 10), row("ref", "", 100)};
  const Choice choice = choose(catalogue, kAnything, 3);
  EXPECT_EQ(choice.kernel, "middle");
  EXPECT_EQ(choice.workspace, 30) << "what it declares for three threads";
  const std::vector<Refusal> tried = explain(catalogue, kAnything);
  ASSERT_EQ(tried.size(), 2u) << "rows after the one taken are not asked";
  EXPECT_EQ(tried[0].kernel, "fast");
  EXPECT_EQ(tried[0].reason, "wants bf16");
  EXPECT_EQ(tried[1].kernel, "middle");
  EXPECT_EQ(tried[1].reason, "");
}

TEST(Catalogue, NobodyServingIsAnErrorWithAllReasons) {
  try {
    choose({row("fast", "wants bf16"), row("ref", "wants rows")}, kAnything, 1);
    FAIL();
  } catch (const base::CheckError& error) {
    EXPECT_STREQ(error.what(), "no kernel serves add:\n  fast: wants bf16\n  ref: wants rows");
  }
}

}  // namespace
}  // namespace pleat::target
