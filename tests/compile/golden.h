// SPDX-License-Identifier: Apache-2.0
// A text against a file of tests/goldens, line by line. PLEAT_REWRITE=1 in the environment writes the file
// anew; the diff is reviewed.
#pragma once
#include <string>

namespace pleat::compile {

/// `name`: "passes/split.diff".
void expect_golden(const std::string& text, const std::string& name);

/// What is in one text and not in the other: lines with '-' and '+', each hunk with the line before and the
/// line after it, hunks apart by "...".
std::string difference(const std::string& before, const std::string& after);

}  // namespace pleat::compile
