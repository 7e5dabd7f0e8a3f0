// SPDX-License-Identifier: Apache-2.0
// The whole text of one layout in which every axis has more than one rank somewhere, and parts of others.
#include "layout/text.h"

#include <gtest/gtest.h>

namespace pleat::layout {
namespace {

TEST(LayoutText, OfEveryAxis) {
  const Layout layout({.tp = 2, .cp = 2, .dp = 1, .pp = 2, .vpp = 2, .ep = 2, .etp = 2});
  EXPECT_EQ(to_text(layout, 6), R"(layout pp2 cp2 tp2 ep2 etp2 vpp2: 8 ranks

dense mesh   pp 2 x dp 1 x cp 2 x tp 2            rank = tp + 2 (cp + 2 (dp + 1 pp))
expert mesh  pp 2 x edp 1 x ep 2 x etp 2          rank = etp + 2 (ep + 2 (edp + 1 pp))

Coordinates
  rank    pp    dp    cp    tp   edp    ep   etp
     0     0     0     0     0     0     0     0
     1     0     0     0     1     0     0     1
     2     0     0     1     0     0     1     0
     3     0     0     1     1     0     1     1
     4     1     0     0     0     0     0     0
     5     1     0     0     1     0     0     1
     6     1     0     1     0     0     1     0
     7     1     0     1     1     0     1     1

Groups, of each axis with more than one rank
    pp [0 4] [1 5] [2 6] [3 7]
    cp [0 2] [1 3] [4 6] [5 7]
    tp [0 1] [2 3] [4 5] [6 7]
    ep [0 2] [1 3] [4 6] [5 7]
   etp [0 1] [2 3] [4 5] [6 7]

Layers of each chunk
 chunk stage layers
     0     0 0 to 1
     1     1 2 to 3
     2     0 4
     3     1 5
)");
}

TEST(LayoutText, OfOneRankAndOfMoreChunksThanLayers) {
  const std::string one = to_text(Layout(), 3);
  EXPECT_EQ(one.substr(0, one.find('\n')), "layout one rank: 1 rank");
  EXPECT_NE(one.find("\n  none\n"), std::string::npos) << one;
  EXPECT_NE(to_text(Layout({.pp = 2}), 1).find("\n     1     1 none\n"), std::string::npos);
}

}  // namespace
}  // namespace pleat::layout
