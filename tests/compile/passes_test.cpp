// SPDX-License-Identifier: Apache-2.0
// What each pass does to the draft, as the difference of its text before and after: of a model in which every
// pass has something to do (experts, the embedding on both stages, all axes that have operations).
#include <gtest/gtest.h>

#include <regex>

#include "../verify/programs.h"
#include "base/errors.h"
#include "golden.h"

namespace pleat::compile {
namespace {

Request request() {
  config::ModelConfig model = verify::expert_model(2);
  model.tie_word_embeddings = true;
  return verify::small_request(model, {.dp = 2, .pp = 2, .ep = 2}, 2);
}

class Pass : public ::testing::TestWithParam<std::string_view> {};

TEST_P(Pass, ChangesTheDraftAsItsGoldenShows) {
  const std::vector<std::string_view> names = pass_names();
  const auto pass = std::find(names.begin(), names.end(), GetParam());
  ASSERT_NE(pass, names.end());
  expect_golden(difference(print_after(request(), *(pass - 1)), print_after(request(), *pass)),
                fmt::format("passes/{}.diff", *pass));
}

// segments and frames write another form of all there is; the Programs' goldens show it.
INSTANTIATE_TEST_SUITE_P(Compile, Pass,
                         ::testing::Values("differentiate", "split", "schedule", "transfers", "reductions",
                                           "optimizer", "guard", "outputs", "queues"),
                         [](const auto& which) { return std::string(which.param); });

TEST(Passes, SegmentsKeepsEveryOperationThatIsNoView) {
  const std::string graph = print_after(request(), "split"), pieces = print_after(request(), "segments");
  const auto count = [](const std::string& text, const std::string& pattern) {
    const std::regex lines(pattern);
    return std::distance(std::sregex_iterator(text.begin(), text.end(), lines), std::sregex_iterator());
  };
  for (const char* op : {"attention", "attention_grad", "rms_norm", "grouped_outer", "router", "exchange"}) {
    EXPECT_GT(count(graph, fmt::format(" {}\\(", op)), 0) << op;
    EXPECT_EQ(count(graph, fmt::format(" {}\\(", op)), count(pieces, fmt::format(" {} ", op))) << op;
  }
  for (const char* view : {"share", "reshape", "split"})
    EXPECT_EQ(count(pieces, fmt::format("(compute|group) +{} ", view)), 0) << view;
}

TEST(Passes, KernelsChoosesOneForEveryComputation) {
  const Request r = request();
  const program::Program program = compile(r);
  for (const program::Segment& segment : program.segments)
    for (const program::Instruction& instruction : segment.instructions)
      EXPECT_EQ(instruction.kernel, instruction.queue == program::Queue::compute ? "ref" : "")
          << graph::name_of(instruction.op);
}

TEST(Passes, AnUnknownNameIsRefusedWithTheList) {
  try {
    print_after(request(), "splits");
    FAIL();
  } catch (const base::JobError& error) {
    const std::string text = error.what();
    for (std::string_view name : pass_names()) EXPECT_NE(text.find(name), std::string::npos) << text;
  }
}

TEST(Passes, OfOneStageAloneGiveItsListOfTheWhole) {
  Request r = request();
  const program::Program whole = compile(r);
  for (int64_t stage = 0; stage < r.layout.stages(); ++stage) {
    r.only_stage = base::Stage(stage);
    const program::Program alone = compile(r);
    ASSERT_EQ(alone.lists.size(), 1u);
    const program::RankList &a = alone.lists[0], &b = whole.lists[static_cast<size_t>(stage)];
    EXPECT_EQ(a.stage, b.stage);
    EXPECT_EQ(a.area_bytes, b.area_bytes);
    ASSERT_EQ(a.instances.size(), b.instances.size());
    for (size_t i = 0; i < a.instances.size(); ++i) {
      program::Instance mine = a.instances[i], theirs = b.instances[i];
      EXPECT_EQ(alone.segments[static_cast<size_t>(mine.segment)],
                whole.segments[static_cast<size_t>(theirs.segment)]);
      mine.segment = theirs.segment = 0;
      EXPECT_EQ(mine, theirs) << "instance " << i;
    }
  }
}

}  // namespace
}  // namespace pleat::compile
