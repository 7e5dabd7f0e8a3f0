// SPDX-License-Identifier: Apache-2.0
#include "cli/pleat.h"

#include <cstdio>
#include <filesystem>
#include <new>

#include "base/errors.h"
#include "cli/commands.h"

namespace pleat::cli {
namespace {

constexpr int kGood = 0, kNo = 1, kBad = 2;

void describe(Command& root) {
  add_train(root);
  add_verify(root);
  add_simulate(root);
  add_print(root);
  add_explain(root);
  add_generate(root);
  add_evaluate(root);
  add_report(root);
  add_forward(root);
  add_data(root);
  add_bench(root);
  root.notes(
      "pleat COMMAND --help has examples. Exit codes: 0 good, 1 the answer is no, 2 bad use or input.");
}

int tell(const char* what, int code) {
  std::fflush(stdout);
  fmt::print(stderr, "pleat: {}\n", what);
  return code;
}

int parse_and_run(int count, const char* const* words) {
  if (count < 2) base::fail<base::JobError>("no command; pleat --help lists them");
  const Body body = parse(count, words, describe);
  const int code = body ? body() : kGood;
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    base::fail<base::DataError>("standard output cannot be written");
  return code;
}

}  // namespace

int pleat(int count, const char* const* words) {
  try {
    return parse_and_run(count, words);
  } catch (const base::CheckError& error) {
    return tell(error.what(), kNo);
  } catch (const base::CommError& error) {
    return tell(error.what(), kNo);
  } catch (const std::bad_alloc&) {
    return tell("out of memory", kBad);
  } catch (const std::filesystem::filesystem_error& error) {
    return tell(fmt::format("{}: {}", error.path1().string(), error.code().message()).c_str(), kBad);
  } catch (const std::exception& error) {  // JobError and DataError
    return tell(error.what(), kBad);
  }
}

}  // namespace pleat::cli
