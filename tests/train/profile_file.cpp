// SPDX-License-Identifier: Apache-2.0
// profile.json: what is written reads back, what is damaged is refused with its name.
#include <gtest/gtest.h>

#include "base/errors.h"
#include "train/profile.h"

namespace pleat::train {
namespace {

ReportInput profiled() {
  ReportInput input;
  input.subtitle = "qwen3_moe \"quoted\"\n\x01";
  input.facts = {{"layout", "pp 2"}, {"", ""}};
  input.predicted_step_seconds = 0.1 + 0.2;
  input.measured_step_seconds = 1.0 / 3;
  input.measured_note = "median of steps 4 to 9";
  input.prediction_aim = 0.3;
  input.prediction_note = "4 ranks share 2 cores";
  input.predicted_timeline = {{0, "compute", "matmul a", "forward", 0, 7},
                              {3, "group", "b", "collective", 7, 0}};
  input.measured_timeline = {{1, "compute", "matmul a", "weight", int64_t{1} << 40, 3}};
  input.memory = {{0, 100, 90, {}}, {{}, 100, 90, -7}};
  return input;
}

void expect_equal(const std::vector<TimelineSpan>& a, const std::vector<TimelineSpan>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(std::tie(a[i].rank, a[i].queue, a[i].name, a[i].kind),
              std::tie(b[i].rank, b[i].queue, b[i].name, b[i].kind));
    EXPECT_EQ(a[i].start_ns, b[i].start_ns);
    EXPECT_EQ(a[i].duration_ns, b[i].duration_ns);
  }
}

TEST(Profile, ReadsBackAsItWasWritten) {
  const ReportInput input = profiled();
  ReportInput back;
  back.facts = {{"of", "before"}};
  back.memory.resize(9);
  parse_profile(profile_text(input), "profile.json", back);
  EXPECT_EQ(back.subtitle, input.subtitle);
  ASSERT_EQ(back.facts.size(), 2u);
  EXPECT_EQ(back.facts[0].name, "layout");
  EXPECT_EQ(back.facts[0].value, "pp 2");
  EXPECT_EQ(back.predicted_step_seconds, input.predicted_step_seconds);
  EXPECT_EQ(back.calibrated_step_seconds, std::nullopt);
  EXPECT_EQ(back.measured_step_seconds, input.measured_step_seconds);
  EXPECT_EQ(back.measured_note, input.measured_note);
  EXPECT_EQ(back.prediction_aim, 0.3);
  EXPECT_EQ(back.prediction_note, input.prediction_note);
  expect_equal(back.predicted_timeline, input.predicted_timeline);
  expect_equal(back.measured_timeline, input.measured_timeline);
  ASSERT_EQ(back.memory.size(), 2u);
  EXPECT_EQ(back.memory[0].rank, 0);
  EXPECT_EQ(back.memory[0].resident_growth, std::nullopt);
  EXPECT_EQ(back.memory[1].rank, std::nullopt);
  EXPECT_EQ(back.memory[1].resident_growth, -7);
}

TEST(Profile, NamesThatAreNoUtf8AreWrittenAllTheSame) {
  ReportInput input = profiled(), back;
  input.predicted_timeline[0].name = "\xff";
  parse_profile(profile_text(input), "profile.json", back);
  EXPECT_EQ(back.predicted_timeline[0].name, "\xef\xbf\xbd");
}

TEST(Profile, EveryCutOfTheFileIsRefusedByName) {
  const std::string text = profile_text(profiled());
  for (size_t length = 0; length + 2 < text.size(); length += 7) {
    ReportInput input;
    try {
      parse_profile(text.substr(0, length), "runs/x/profile.json", input);
      ADD_FAILURE() << "accepted " << length << " bytes";
    } catch (const base::DataError& error) {
      EXPECT_TRUE(std::string_view(error.what()).starts_with("runs/x/profile.json: ")) << error.what();
    }
  }
}

TEST(Profile, WrongNumbersAreRefused) {
  const std::string text = profile_text(profiled());
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string changed = text;
    const size_t at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return changed.replace(at, from.size(), to);
  };
  ReportInput input;
  EXPECT_THROW(parse_profile(with("\"format\":1", "\"format\":2"), "p", input), base::DataError);
  EXPECT_THROW(
      parse_profile(with("\"predicted_timeline\":[0,0,", "\"predicted_timeline\":[0,99,"), "p", input),
      base::DataError)
      << "a text that is not there";
  EXPECT_THROW(parse_profile(with("\"aim\":0.3", "\"aim\":\"x\""), "p", input), base::DataError);
}

}  // namespace
}  // namespace pleat::train
