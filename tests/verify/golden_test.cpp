// SPDX-License-Identifier: Apache-2.0
// A compiled Program as text, line by line. PLEAT_REWRITE=1 in the environment writes it anew; the diff is
// reviewed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "programs.h"

namespace pleat::verify {
namespace {

TEST(Golden, TwoStagesTwoReplicasTwoExpertGroups) {
  const std::string path = PLEAT_SOURCE_DIR "/tests/goldens/experts-pp2-dp2-ep2.program";
  layout::Degrees degrees;
  degrees.pp = 2, degrees.dp = 2, degrees.ep = 2;
  const std::string text = program::to_text(compile::compile(small_request(expert_model(2), degrees, 2)));
  if (std::getenv("PLEAT_REWRITE") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  std::stringstream golden;
  golden << file.rdbuf();
  std::istringstream have(text), want(golden.str());
  std::string a, b;
  for (int line = 1; std::getline(have, a) && std::getline(want, b); ++line)
    ASSERT_EQ(a, b) << path << ":" << line << "; PLEAT_REWRITE=1 rewrites it";
  EXPECT_EQ(text.size(), golden.str().size()) << path << "; PLEAT_REWRITE=1 rewrites it";
}

}  // namespace
}  // namespace pleat::verify
