// SPDX-License-Identifier: Apache-2.0
// The text form and the Program are exact inverses; damaged and hostile text gives a DataError that says
// where.
#include <gtest/gtest.h>

#include <cmath>

#include "base/errors.h"
#include "random_program.h"

namespace pleat::program {
namespace {

constexpr std::string_view kHeader =
    "format: 1\n"
    "program: \"p\"\n"
    "layout: tp 1 cp 1 dp 2 pp 1 ep 1 etp 1 vpp 1\n"
    "threads: 1\nmicro_batches: 2\ntokens: 8\nallowance: 0\n"
    "memory: state device gradient device step device input host frame pinned arrival device scratch file\n";

std::string error_of(const std::string& text) {
  try {
    from_text(text);
  } catch (const base::DataError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Text, RandomProgramsComeBack) {
  for (uint32_t seed = 0; seed < 400; ++seed) {
    const Program program = RandomProgram(seed).make();
    const std::string text = to_text(program);
    const Program back = from_text(text);
    ASSERT_EQ(back, program) << "seed " << seed << "\n" << text;
    ASSERT_EQ(to_text(back), text);
  }
}

TEST(Text, DamagedTextIsRefusedOrRead) {
  int refused = 0;
  for (uint32_t seed = 0; seed < 300; ++seed) {
    std::string text = to_text(RandomProgram(seed).make());
    std::mt19937 random(seed);
    for (int n = 0; n < 3; ++n) {
      const size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random() % 256);
          break;
        case 1:
          text.erase(at, random() % 20 + 1);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), 15));
          break;
      }
    }
    try {
      const Program read = from_text(text);
      EXPECT_EQ(from_text(to_text(read)), read);
    } catch (const base::DataError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with("line ")) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 150);
}

TEST(Text, ReadsWhatAPersonWrites) {
  const Program p = from_text(
      std::string(kHeader) +
      "# a remark\n\n"
      "input \"x\" stage 0 dense at input+0:f32:2x4 bases 0,64\n"
      "segment \"forward 0\" forward chunk 0 events 1\n"
      "  compute   scale {factor=2.0}  input+0:f32:2x4 -> frame+0:f32:2x2/4#7 kernel \"ref\" fires 0\n"
      "list stage 0 events 2 state 0 gradient 0 step 0 input 128 frame 128 arrival 0 scratch 0\n"
      "  0 first mb=0; 0 mb=1 input=64 frame=64 event=1 wait=group:0~1\n");
  ASSERT_EQ(p.segments.size(), 1u);
  const Instruction& scale = p.segments[0].instructions.at(0);
  EXPECT_EQ(scale.attributes.number("factor"), 2.0);
  EXPECT_EQ(scale.results[0].region, (Region{Area::frame, 0, {base::DType::f32, {2, 2}, 4}, 7}));
  EXPECT_EQ(scale.fires, 0);
  const Instance& second = p.lists.at(0).instances.at(1);
  EXPECT_FALSE(second.first);
  EXPECT_EQ(second.waits, (std::vector<Wait>{{Queue::group, 0, 1}}));
  EXPECT_EQ(p.memory[static_cast<size_t>(Area::scratch)], Memory::file);
}

TEST(Text, UnknownFormatIsRefused) {
  EXPECT_EQ(error_of("format: 2\n"), "line 1: format 2 of a Program is unknown: this build reads format 1");
  EXPECT_EQ(error_of(""), "line 0: expected 'format:', found the end of the text");
  EXPECT_EQ(error_of("{}"), "line 1: expected 'format:', found '{}'");
}

TEST(Text, ErrorsSayLineAndWhatWasExpected) {
  const std::string header(kHeader);
  EXPECT_EQ(error_of(header + "nonsense 3\n"),
            "line 9: expected 'state', 'input', 'output', 'segment' or 'list', found 'nonsense'");
  EXPECT_NE(
      error_of(header + "segment \"s\" forward chunk 0 events 0\n  compute addd ->\n").find("not 'addd'"),
      std::string::npos);
  EXPECT_EQ(
      error_of(header + "segment \"s\" forward chunk 0 events 0\n  compute add scratch+0:f32:2x2x2x2x2 ->\n"),
      "line 10: expected at most 4 dims, found '2'");
  EXPECT_EQ(error_of(header + "segment \"s\" forward chunk 0 events -1\n"),
            "line 9: expected a number of events from 0 to 16777216, found '-1'");
  EXPECT_EQ(error_of(header + "input \"x stage 0\n"),
            "line 9: expected the closing quote of a port, found the end of the line");
}

TEST(Text, NumbersAreBounded) {
  const std::string header(kHeader);
  const auto read = [&](const std::string& region) {
    return error_of(header + "output \"x\" stage 0 dense at " + region + " bases none\n");
  };
  EXPECT_EQ(read("step+0:f32:4"), "accepted");
  EXPECT_NE(read("step+-4:f32:4"), "accepted");
  EXPECT_NE(read("step+99999999999999999999:f32:4"), "accepted");
  EXPECT_NE(read("step+0:f32:1099511627776x1099511627776"), "accepted");
  EXPECT_NE(read("step+0:f32:0x1099511627776x1099511627776"), "accepted");
  EXPECT_NE(read("step+0:f32:1048576x2/1099511627776"), "accepted");
  std::string layout = header;
  layout.replace(layout.find("dp 2"), 4, "dp 1048576");
  EXPECT_EQ(error_of(layout), "accepted");
  layout.replace(layout.find("pp 1"), 4, "pp 1048576");
  EXPECT_EQ(error_of(layout), "line 3: a layout of more than 1048576 ranks");
}

TEST(Text, IllegalLayoutIsADataError) {
  std::string text(kHeader);
  text.replace(text.find("ep 1"), 4, "ep 3");
  EXPECT_TRUE(error_of(text).starts_with("line 3: expert axes ep 3")) << error_of(text);
}

}  // namespace
}  // namespace pleat::program
