// SPDX-License-Identifier: Apache-2.0
// The commands that look at a Program: print, explain, verify, simulate, bench.
#include "program.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "base/file.h"
#include "cli/listing.h"
#include "compile/compile.h"
#include "config/job.h"
#include "program/program.h"

namespace pleat::cli {
namespace {

class Commands : public testing::Test {
 protected:
  Commands() { folder_.write("job.yaml", tiny_job()); }
  /// Standard output of a command that succeeds.
  std::string out_of(const std::vector<std::string>& words) const {
    const Outcome outcome = run_pleat(words, folder_.path());
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.out;
  }
  Folder folder_;
};

TEST_F(Commands, PrintGivesTheProgramBack) {
  const std::string text = out_of({"print", "job.yaml"});
  const program::Program program = program::from_text(text);
  EXPECT_EQ(program.layout.name(), "pp2 dp2 ep2");
  EXPECT_EQ(program.lists.size(), 2u);
  EXPECT_EQ(program::to_text(program), text);
}

TEST_F(Commands, PrintOfARankIsItsListAlone) {
  const program::Program program = program::from_text(out_of({"print", "job.yaml", "--rank", "3"}));
  ASSERT_EQ(program.lists.size(), 1u);
  EXPECT_EQ(program.lists[0].stage, 1);
}

TEST_F(Commands, ExpandListsEveryInstructionWithItsPeers) {
  const std::string text = out_of({"print", "job.yaml", "--rank", "3", "--expand"});
  const program::Program program = program::from_text(out_of({"print", "job.yaml", "--rank", "3"}));
  const int64_t instructions = program.instructions(program.lists[0]);
  EXPECT_NE(text.find("\n" + std::string(6 - std::to_string(instructions - 1).size(), ' ') +
                      std::to_string(instructions - 1) + " "),
            std::string::npos);
  EXPECT_NE(text.find(" ranks 1,3"), std::string::npos) << "what comes from the other stage";
  EXPECT_NE(text.find(" ranks 2,3"), std::string::npos) << "what the stage does together";
}

/// Compiling one stage alone leaves out the other stages and nothing else.
TEST_F(Commands, OneStageAloneIsItsPartOfTheWhole) {
  const std::vector<std::string> job{"print", "job.yaml", "train.global_batch=16", "layout.pp=2"};
  const program::Program whole = program::from_text(out_of(job));
  for (int rank = 0; rank < 4; ++rank) {
    std::vector<std::string> words = job;
    words.insert(words.end(), {"--rank", std::to_string(rank), "--expand"});
    EXPECT_EQ(out_of(words), listing(whole, base::Rank(rank))) << "rank " << rank;
  }
}

TEST_F(Commands, BenchCompilesOneRankOfALargeJobAlone) {
  const std::string text =
      out_of({"bench", PLEAT_SOURCE_DIR "/configs/bench/moe-61l.yaml", "--compile-only", "--rank", "17"});
  EXPECT_TRUE(text.starts_with("compile ")) << text;
  EXPECT_NE(text.find("instructions of rank 17\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("\nbind "), std::string::npos) << "no memory of 353 GiB is asked for\n" << text;
}

TEST_F(Commands, PrintAfterEachPass) {
  for (std::string_view pass : compile::pass_names())
    EXPECT_FALSE(out_of({"print", "job.yaml", "--rank", "0", "--after", std::string(pass)}).empty()) << pass;
}

TEST_F(Commands, PrintJobReadsBack) {
  const std::string text = out_of({"print", "job.yaml", "train.steps=77", "--job"});
  const config::Job job = config::parse_job(text, "printed");
  EXPECT_EQ(job.train.steps, 77);
  EXPECT_EQ(job, config::read_job(folder_ / "job.yaml", std::vector<std::string>{"train.steps=77"}));
}

TEST_F(Commands, PrintLayoutOfAxesThatCompileRefuses) {
  const auto words = [](const char* axis, std::vector<std::string> more) {
    std::vector<std::string> all{"print", "job.yaml", "layout.ep=1", fmt::format("layout.{}=2", axis)};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  for (const char* axis : {"tp", "cp", "vpp", "etp"}) {
    const std::string text = out_of(words(axis, {"--layout"}));
    EXPECT_NE(text.find(fmt::format("{}2", axis)), std::string::npos) << text;
    const Outcome outcome = run_pleat(words(axis, {}), folder_.path());
    EXPECT_EQ(outcome.code, 2);
    EXPECT_NE(outcome.err.find(fmt::format("no operations yet for axis {} ", axis)), std::string::npos)
        << outcome.err;
  }
  EXPECT_EQ(run_pleat(words("tp", {"--layout", "--rank", "0"}), folder_.path()).code, 2);
}

TEST_F(Commands, VerifySaysWhatIsProvedAssertedAndHowMuchMemory) {
  const std::string text = out_of({"verify", "job.yaml"});
  for (const char* part :
       {"proved", "asserted", "peak bytes per rank", "ranks 0 to 1", "ranks 2 to 3", "\nverified\n"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

TEST_F(Commands, SimulateGivesStepBubbleAndATrace) {
  const std::string text = out_of({"simulate", "job.yaml", "--trace", "trace.json"});
  for (const char* part : {"step ", "tokens/s", "bubble", "peak of a rank"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  EXPECT_NE(base::read_text(folder_ / "trace.json").find("\"ph\""), std::string::npos);
}

TEST_F(Commands, BenchAccountsForTheWholeStep) {
  const std::string text = out_of({"bench", "job.yaml", "--steps", "2"});
  for (const char* part : {"compile ", "expansion ", "bind ", "step ", "tokens/s", "matmul"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  const std::regex row(R"(\n  [a-z_ ]+? +\d* +(-?\d+\.\d+) +(-?\d+\.\d+) %)");
  double sum = 0, last = 0;
  for (auto i = std::sregex_iterator(text.begin(), text.end(), row); i != std::sregex_iterator(); ++i)
    sum += last, last = std::stod((*i)[1]);
  EXPECT_GT(last, 0);
  EXPECT_NEAR(sum, last, 0.0005 * 64) << "rows are printed to three decimals\n" << text;
}

TEST(Explain, NamesTheRowsTriedAndTheCost) {
  const Outcome outcome = run_pleat({"explain", "matmul", "f64", "4096x7168x2048"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("matmul f64:4096x7168 f64:2048x7168 -> f64:4096x2048"), std::string::npos)
      << outcome.out;
  EXPECT_TRUE(std::regex_search(outcome.out, std::regex("cpu\\.[a-z]+ +no: .+\n"))) << outcome.out;
  EXPECT_TRUE(std::regex_search(outcome.out, std::regex("kernel +ref\n"))) << outcome.out;
  EXPECT_NE(outcome.out.find("120 Gflop"), std::string::npos) << "2 x 4096 x 7168 x 2048\n" << outcome.out;
}

TEST(Explain, SaysHowBf16ProductsAreDone) {
  const Outcome outcome = run_pleat({"explain", "matmul", "bf16", "64x32x16"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(
      std::regex_search(outcome.out, std::regex("products +(with (avx512|amx)_bf16|in fp32|plain loops)")))
      << outcome.out;
}

TEST(Explain, KnowsEveryOperationThatItsHelpNames) {
  const std::string help = run_pleat({"explain", "--help"}).out;
  const std::regex row("\n  ([a-z_]+) +([A-Zn](x[A-Z])*)(?=\n)");
  int operations = 0;
  for (auto i = std::sregex_iterator(help.begin(), help.end(), row); i != std::sregex_iterator(); ++i) {
    std::string shape = (*i)[2];
    for (char& c : shape)
      if (c != 'x') c = c == 'K' ? '2' : '8';
    const Outcome outcome = run_pleat({"explain", (*i)[1], "bf16", shape});
    EXPECT_EQ(outcome.code, 0) << (*i)[1] << " " << shape << ": " << outcome.err;
    ++operations;
  }
  EXPECT_GE(operations, 30) << help;
}

}  // namespace
}  // namespace pleat::cli
