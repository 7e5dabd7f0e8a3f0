// SPDX-License-Identifier: Apache-2.0
// What the outside world gives to a run: clocks, a place to write lines to, facts of the machine. Passed in,
// so that the library reads no environment and prints nothing itself.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "target/catalogue.h"

namespace pleat::train {

struct Host {
  std::function<double()> clock;              // monotonic seconds
  std::function<double()> wall;               // seconds since 1970
  std::function<double()> thread_clock{};     // seconds that a core worked for the calling thread
  std::function<int64_t()> resident_bytes;    // of this process
  std::function<void(std::string_view)> say;  // progress, notes; as it is, with its own line ends
  bool terminal = false;                      // say() goes to a terminal
  std::string name = "localhost";
  int cores = 1;
  std::function<target::Target()> target{};  // its rates, for the predicted step; empty: measured
};

}  // namespace pleat::train
