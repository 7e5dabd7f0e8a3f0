// SPDX-License-Identifier: Apache-2.0
// The whole page: self-contained, well formed, every section from its own input, nothing from outside as
// markup.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "train/replace_file.h"
#include "train/report.h"
#include "train/report_timeline.h"

namespace pleat::train {
namespace {

constexpr std::string_view kHostile = "</script><script>alert(1)</script>\"'><b onclick=x>&\xff";

std::vector<StepMetrics> steps(int64_t count) {
  std::vector<StepMetrics> metrics;
  for (int64_t step = 1; step <= count; ++step) {
    const auto x = static_cast<double>(step);
    metrics.push_back({step,
                       1.3 + 4 / x,
                       {{"balance_loss", 1 + 1 / x}},
                       0.5 + 1 / x,
                       1e-3 / x,
                       4096 * step,
                       0.25,
                       16384.0,
                       1.25});
  }
  return metrics;
}

std::vector<TimelineSpan> spans(int64_t scale) {
  std::vector<TimelineSpan> timeline;
  for (int32_t rank = 1; rank >= 0; --rank)
    for (int64_t i = 0; i < 6; ++i) {
      timeline.push_back({rank, "compute", "matmul", i % 2 == 0 ? "F" : "B", i * scale, scale * 3 / 4});
      timeline.push_back({rank, "all_to_all", "dispatch", "transfer", i * scale + scale / 2, scale / 4});
    }
  return timeline;
}

ReportInput full_input() {
  ReportInput input;
  input.title = "demo";
  input.subtitle = "qwen3_moe on 4 ranks";
  input.metrics = steps(300);
  input.held_out = {{300, 1.337}};
  input.bits_per_byte = {{"this model", 1.929, true}, {"gzip -9", 2.604}, {"xz -9", 2.311}};
  input.bits_per_byte_note = "38 files";
  input.predicted_step_seconds = 0.2;
  input.calibrated_step_seconds = 0.26;
  input.measured_step_seconds = 0.25;
  input.prediction_aim = 0.3;
  input.prediction_note = "4 ranks share 2 cores";
  input.predicted_timeline = spans(1000);
  input.measured_timeline = spans(1200);
  input.memory = {{0, 212 << 20, 208 << 20, {}}, {1, 212 << 20, {}, {}}, {{}, 424 << 20, {}, 221 << 20}};
  input.samples = {{"The prompt", " and its text"}};
  input.facts = {{"layout", "pp 2, dp 2, ep 2"}};
  input.footer = "version 1";
  return input;
}

size_t count(std::string_view text, std::string_view what) {
  size_t found = 0;
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

/// The elements of a page in which script and style hold raw text; a tag left open or closed twice fails.
void expect_well_formed(std::string_view page) {
  const std::vector<std::string_view> single{"meta", "path", "!doctype"};
  std::vector<std::string> open;
  for (size_t at = page.find('<'); at != std::string_view::npos; at = page.find('<', at)) {
    const size_t end = page.find('>', at);
    ASSERT_NE(end, std::string_view::npos);
    std::string_view tag = page.substr(at + 1, end - at - 1);
    const bool closing = tag[0] == '/';
    if (closing) tag.remove_prefix(1);
    const std::string name(tag.substr(0, tag.find_first_of(" /\n")));
    at = end + 1;
    if (std::find(single.begin(), single.end(), name) != single.end()) continue;
    if (closing) {
      ASSERT_FALSE(open.empty()) << name;
      ASSERT_EQ(open.back(), name);
      open.pop_back();
      continue;
    }
    open.push_back(name);
    if (name == "script" || name == "style") at = page.find("</" + name + ">", at);
  }
  EXPECT_TRUE(open.empty()) << open.back();
}

TEST(ReportPage, HasEverySection) {
  const std::string page = report_html(full_input());
  for (const char* text : {"<h1>demo</h1>",
                           "qwen3_moe on 4 ranks",
                           "<b>Loss</b>",
                           "<b>Loss, second half</b>",
                           "<b>Throughput</b>",
                           "<b>Learning rate</b>",
                           "<b>Gradient norm</b>",
                           "<b>Router balance</b>",
                           "<b>balance_loss</b>",
                           "held-out 1.337",
                           "gzip -9",
                           "−25.9 %",
                           "38 files",
                           "208 MiB",
                           "221 MiB",
                           "The prompt</span> and its text",
                           "pp 2, dp 2, ep 2",
                           "version 1",
                           "200 ms",
                           "250 ms",
                           "−20.0 %",
                           "+4.0 %",
                           "off by 4.0 % after calibration",
                           "by 20.0 % before: within the aim of 30 % (4 ranks share 2 cores).",
                           "all, one process",
                           "<svg class=\"still\"",
                           "class=\"timeline\""})
    EXPECT_NE(page.find(text), std::string::npos) << text;
  expect_well_formed(page);
}

TEST(ReportPage, AsksNothingOfANetwork) {
  const std::string page = report_html(full_input());
  for (const char* text : {"http:", "https:", "src=", "href=", "url(", "@import", "fetch(", "import("})
    EXPECT_EQ(page.find(text), std::string::npos) << text;
}

TEST(ReportPage, WithoutInputIsStillAPage) {
  const std::string page = report_html({});
  EXPECT_NE(page.find("No step has been recorded yet."), std::string::npos);
  EXPECT_EQ(page.find("<h2>"), std::string::npos);
  expect_well_formed(page);
}

TEST(ReportPage, DenseModelsHaveNoRouterChart) {
  ReportInput input;
  input.metrics = steps(3);
  for (StepMetrics& metrics : input.metrics) metrics.balance.reset(), metrics.auxiliary.clear();
  const std::string page = report_html(input);
  EXPECT_EQ(page.find("Router balance"), std::string::npos);
  EXPECT_EQ(count(page, "<figure class=\"chart"), 4u);
  expect_well_formed(page);
}

TEST(ReportPage, OneStepAndStepsThatAreNotFinite) {
  ReportInput input;
  input.metrics = steps(1);
  expect_well_formed(report_html(input));
  input.metrics = steps(5);
  for (StepMetrics& metrics : input.metrics) {
    metrics.loss = metrics.grad_norm = metrics.tokens_per_s = metrics.seconds = std::nan("");
    metrics.balance = std::numeric_limits<double>::infinity();
  }
  const std::string page = report_html(input);
  EXPECT_NE(page.find("5 steps not finite"), std::string::npos);
  const size_t body = page.find("<main>");
  const std::string_view shown = std::string_view(page).substr(body, page.find("<script>") - body);
  for (const char* text : {"nan", "inf\"", "inf ", "inf%"})
    EXPECT_EQ(shown.find(text), std::string::npos) << text;
  expect_well_formed(page);
}

TEST(ReportPage, NoTextBecomesMarkup) {
  ReportInput input = full_input();
  const std::string clean = report_html(input);
  const std::string hostile(kHostile);
  input.title = input.subtitle = input.bits_per_byte_note = input.footer = hostile;
  input.samples = {{hostile, hostile}};
  input.facts = {{hostile, hostile}};
  input.bits_per_byte[1].name = hostile;
  input.metrics[0].auxiliary[0].first = hostile;
  for (auto* timeline : {&input.predicted_timeline, &input.measured_timeline})
    for (TimelineSpan& span : *timeline) span.name = span.kind = span.queue = hostile;
  const std::string page = report_html(input);
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_EQ(page.find("<b onclick"), std::string::npos);
  EXPECT_EQ(page.find('\xff'), std::string::npos);
  EXPECT_EQ(count(page, "<script"), count(clean, "<script"));
  expect_well_formed(page);
}

TEST(ReportPage, APredictionOutsideTheAimSaysSo) {
  ReportInput input = full_input();
  input.calibrated_step_seconds.reset();
  input.predicted_step_seconds = 0.15;
  std::string page = report_html(input);
  EXPECT_NE(page.find("off by 40.0 %: outside the aim of 30 %"), std::string::npos);
  EXPECT_EQ(page.find("after calibration"), std::string::npos);
  input.measured_step_seconds = 0;
  EXPECT_EQ(report_html(input).find("steptimes"), std::string::npos) << "nothing to compare with";
}

TEST(ReportPage, LongRunsStaySmall) {
  ReportInput input;
  input.metrics = steps(200'000);
  EXPECT_LT(report_html(input).size(), 1u << 20);
}

TEST(ReportPage, HoverDataIsJsonAndHoldsTheCurve) {
  ReportInput input;
  input.metrics = steps(20);
  std::string page = report_html(input);
  const size_t begin = page.find("data-plot=\"") + 11;
  std::string text = page.substr(begin, page.find('"', begin) - begin);
  for (size_t at = text.find("&quot;"); at != std::string::npos; at = text.find("&quot;"))
    text.replace(at, 6, "\"");
  const nlohmann::json data = nlohmann::json::parse(text);
  ASSERT_EQ(data["points"].size(), 20u);
  for (size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(data["points"][i][0].get<int64_t>(), input.metrics[i].step);
    EXPECT_NEAR(data["points"][i][1].get<double>(), input.metrics[i].loss, 1e-5);
  }
}

TEST(ReportTimeline, DataIsJsonWithLanesByRank) {
  const nlohmann::json data = nlohmann::json::parse(timeline_json(full_input()));
  EXPECT_EQ(data["end"], 5 * 1200 + 900);
  ASSERT_EQ(data["lanes"].size(), 4u);
  EXPECT_EQ(data["lanes"][0]["rank"], 0);
  EXPECT_EQ(data["lanes"][0]["queue"], "compute") << "the order of first appearance";
  EXPECT_EQ(data["lanes"][3]["rank"], 1);
  const auto& measured = data["lanes"][0]["measured"];
  ASSERT_EQ(measured.size(), 6u * 4);
  EXPECT_EQ(measured[4], 1200);
  EXPECT_EQ(measured[5], 900);
  EXPECT_EQ(data["names"][measured[6].get<size_t>()], "matmul");
  EXPECT_EQ(data["kinds"][measured[7].get<size_t>()][0], "B");
}

TEST(ReportTimeline, OneOfTheTwoIsEnough) {
  ReportInput input = full_input();
  input.measured_timeline.clear();
  const std::string page = report_html(input);
  expect_well_formed(page);
  EXPECT_EQ(page.find("prediction is off by"), std::string::npos);
}

TEST(ReportTimeline, TheStillPictureHasEveryLaneOnOneAxis) {
  const std::string svg = timeline_svg(full_input());
  expect_well_formed(svg);
  EXPECT_EQ(count(svg, "rank 0 · compute"), 1u);
  EXPECT_EQ(count(svg, "rank 1 · all_to_all"), 1u);
  EXPECT_EQ(count(svg, "predicted"), 4u);
  EXPECT_EQ(count(svg, "measured"), 4u);
  EXPECT_EQ(count(svg, " 0h"), 2u * 24) << "every span of both timelines once";
}

TEST(ReportTimeline, CoalescingKeepsExtentAndOrder) {
  std::vector<TimelineSpan> timeline;
  for (int64_t i = 0; i < 50'000; ++i) timeline.push_back({0, "compute", "norm", "F", i * 10, 8});
  timeline.push_back({0, "compute", "grouped matmul", "F", 500'000, 100'000});
  const std::vector<TimelineSpan> merged = coalesce(timeline, 5'000);
  ASSERT_LE(merged.size(), 5'000u);
  EXPECT_GE(merged.size(), 500u) << "no coarser than needed";
  EXPECT_EQ(merged.front().start_ns, 0);
  EXPECT_EQ(merged.back().name, "grouped matmul");
  EXPECT_EQ(merged.back().duration_ns, 100'000);
  for (size_t i = 1; i < merged.size(); ++i)
    ASSERT_GE(merged[i].start_ns, merged[i - 1].start_ns + merged[i - 1].duration_ns);
  EXPECT_EQ(coalesce(timeline, timeline.size()).size(), timeline.size()) << "untouched below the limit";
}

TEST(ReportTimeline, ALaneIsNeverMergedWithAnother) {
  const std::vector<TimelineSpan> merged = coalesce(spans(1), 1);
  std::map<std::pair<int32_t, std::string>, int> lanes;
  for (const TimelineSpan& span : merged) ++lanes[{span.rank, span.queue}];
  EXPECT_EQ(lanes.size(), 4u);
}

TEST(ReportPage, IsWrittenAsAWhole) {
  const auto path = std::filesystem::path(testing::TempDir()) / fmt::format("pleat_report_{}.html", getpid());
  write_report(path, full_input());
  EXPECT_EQ(read_file(path), report_html(full_input()));
  EXPECT_FALSE(std::filesystem::exists(path.string() + ".new"));
  std::filesystem::remove(path);
  EXPECT_THROW(write_report(path / "no", full_input()), base::DataError);
}

}  // namespace
}  // namespace pleat::train
