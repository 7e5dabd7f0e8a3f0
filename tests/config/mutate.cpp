// SPDX-License-Identifier: Apache-2.0
// Damaged jobs: the answer is a JobError or a job that prints and reads back, never anything else.
#include "base/philox.h"
#include "jobs.h"

namespace pleat::config {
namespace {

std::string damaged(std::string text, uint64_t seed) {
  const base::RandomStream random(seed, "damage", "test");
  static constexpr std::string_view kBytes = "\n\t :,[]{}&*!|>'\"%@`#-?0179eE.~<=yn\\\xc3\xff\x00";
  uint64_t next = 0;
  const auto below = [&](uint64_t bound) { return random.bits(next++) % bound; };
  for (uint64_t edits = 1 + below(3); edits > 0; --edits) {
    const uint64_t at = below(text.size());
    switch (below(4)) {
      case 0:
        text[at] = kBytes[below(kBytes.size())];
        break;
      case 1:
        text.erase(at, 1 + below(8));
        break;
      case 2:
        text.insert(at, 1, kBytes[below(kBytes.size())]);
        break;
      default:
        text.insert(at, text.substr(below(text.size()), below(24)));
    }
    if (text.empty()) text = " ";
  }
  return text;
}

TEST(DamagedJob, GivesAJobErrorOrAJob) {
  int refused = 0, accepted = 0;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    const std::string text = damaged(seed % 2 ? kLlamaJob : kQwenMoeJob, seed);
    SCOPED_TRACE(text);
    try {
      const Job job = parse_job(text, "job.yaml");
      ASSERT_EQ(parse_job(print_job(job), "printed.yaml"), job);
      ++accepted;
    } catch (const base::JobError& error) {
      ASSERT_EQ(std::string_view(error.what()).rfind("job.yaml", 0), 0u) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(accepted, 0) << "damage so heavy tests only the refusals";
}

}  // namespace
}  // namespace pleat::config
