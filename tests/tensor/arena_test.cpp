// SPDX-License-Identifier: Apache-2.0
// An arena larger than any address space, and one that fits.
#include "tensor/arena.h"

#include <gtest/gtest.h>

#include <string>

#include "base/errors.h"

namespace pleat::tensor {
namespace {

TEST(Arena, BeyondMemorySaysHowMuchIsAskedForAndThere) {
  try {
    const Arena arena(int64_t{1} << 50);
    FAIL() << "a pebibyte was mapped";
  } catch (const base::JobError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("1048576.0 GiB"), std::string::npos) << text;
    EXPECT_NE(text.find("available"), std::string::npos) << text;
  }
}

TEST(Arena, HighestTouchedIsOnePastTheLastByteWritten) {
  const Arena arena(4096);
  EXPECT_EQ(arena.highest_touched(), 0);
  arena.bytes(100, 1)[0] = std::byte{1};
  EXPECT_EQ(arena.highest_touched(), 101);
}

}  // namespace
}  // namespace pleat::tensor
