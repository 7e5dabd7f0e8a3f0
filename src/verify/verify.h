// SPDX-License-Identifier: Apache-2.0
// Proves a Program before it runs: one file per property. What cannot be proved from the Program alone is
// listed as what run asserts instead; a report without issues is a proof of everything in `proved`.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "program/program.h"

namespace pleat::verify {

struct Issue {
  std::string property;  // one of `proved` of a Program that has none
  std::string text;      // stage, instance, instruction, what is wrong
};

/// Bytes of one rank of a stage: its areas, and what libraries may take besides.
struct Peak {
  int32_t stage = 0;
  std::array<int64_t, program::kAreas> areas{};
  int64_t arena = 0;
  int64_t allowance = 0;
  int64_t total() const { return arena + allowance; }
};

struct Report {
  std::vector<Issue> issues;
  std::vector<std::string> proved;    // properties without issues, in order
  std::vector<std::string> asserted;  // what holds only while running, and who sees to it
  std::vector<Peak> peaks;            // one per list
  bool ok() const { return issues.empty(); }
};

struct Options {
  int turns = 3;                // of the loop that are unrolled
  int issues_per_property = 8;  // the rest is counted
};

/// Never throws for a Program that from_text or compile gives; a malformed one is reported and not looked
/// into further.
Report verify(const program::Program& program, const Options& options = {});

/// "proved: ...", "asserted: ...", the peak of each list, and the issues, a line each.
std::string to_text(const Report& report);

}  // namespace pleat::verify
