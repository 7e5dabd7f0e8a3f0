// SPDX-License-Identifier: Apache-2.0
// The whole program: words in, exit code out. 0 good, 1 the answer is no, 2 bad use or input.
#pragma once

namespace pleat::cli {

int pleat(int count, const char* const* words);

}  // namespace pleat::cli
