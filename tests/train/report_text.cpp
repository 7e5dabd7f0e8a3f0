// SPDX-License-Identifier: Apache-2.0
// Escaping: no text from outside may become markup, end a script or break the page's encoding.
#include "train/report_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace pleat::train {
namespace {

const std::string kBad = "\xEF\xBF\xBD";

TEST(ReportText, MarkupIsEscaped) {
  EXPECT_EQ(escape_html("<a href=\"x\" title='y'>&amp;</a>"),
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
}

TEST(ReportText, GoodUtf8Stays) {
  const std::string text = "naïve – 漢字 \xF0\x9F\x99\x82 \xF4\x8F\xBF\xBF\n\ttab";
  EXPECT_EQ(printable(text), text);
}

TEST(ReportText, BadUtf8AndControlsAreReplaced) {
  EXPECT_EQ(printable("a\xff z"), "a" + kBad + " z");
  EXPECT_EQ(printable("\xC0\xAF"), kBad + kBad) << "overlong";
  EXPECT_EQ(printable("\xE0\x80\xAF"), kBad + kBad + kBad) << "overlong";
  EXPECT_EQ(printable("\xED\xA0\x80"), kBad + kBad + kBad) << "surrogate";
  EXPECT_EQ(printable("\xF4\x90\x80\x80"), kBad + kBad + kBad + kBad) << "beyond U+10FFFF";
  EXPECT_EQ(printable("\xE6\xBC"), kBad + kBad) << "cut off";
  EXPECT_EQ(printable(std::string_view("\0\x1b[31m\x7f", 7)), kBad + kBad + "[31m" + kBad);
}

TEST(ReportText, EveryTwoBytesGiveValidText) {
  for (int first = 0; first < 256; ++first)
    for (int second = 0; second < 256; ++second) {
      const char bytes[] = {static_cast<char>(first), static_cast<char>(second)};
      const std::string once = printable(std::string_view(bytes, 2));
      ASSERT_EQ(printable(once), once);
    }
}

TEST(ReportText, JsonCannotEndItsScript) {
  EXPECT_EQ(json_string("</script>\n\"\\\t"), R"("\u003c/script>\n\"\\\t")");
  EXPECT_EQ(json_number(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(json_number(0.1), "0.1");
}

TEST(ReportText, Numbers) {
  EXPECT_EQ(readable(0), "0");
  EXPECT_EQ(readable(0.30618), "0.3062");
  EXPECT_EQ(readable(1.51634), "1.516");
  EXPECT_EQ(readable(18371), "18,371");
  EXPECT_EQ(readable(3e-4), "3.0e-04");
  EXPECT_EQ(readable(std::numeric_limits<double>::quiet_NaN()), "not finite");
  EXPECT_EQ(readable_seconds(0.2231), "223 ms");
  EXPECT_EQ(readable_seconds(4.2e-6), "4.2 µs");
  EXPECT_EQ(readable_seconds(1.254), "1.25 s");
  EXPECT_EQ(readable_seconds(338), "5m38s");
  EXPECT_EQ(readable_difference(203, 223), "−9.0 %");
  EXPECT_EQ(readable_difference(110, 100), "+10.0 %");
  EXPECT_EQ(readable_difference(1, 0), "");
}

}  // namespace
}  // namespace pleat::train
