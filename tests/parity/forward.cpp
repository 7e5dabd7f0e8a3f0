// SPDX-License-Identifier: Apache-2.0
// `pleat forward` on a fixture, through the command line. PLEAT_BINARY is the built program.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>

#include "base/file.h"
#include "fixture.h"

namespace pleat::parity {
namespace {

/// Exit status of `command`, both its streams in `log`.
int run_command(const std::string& command, const std::filesystem::path& log) {
  const int status = std::system(fmt::format("{} > '{}' 2>&1", command, log.string()).c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Tensors forward(const Fixture& fixture, const std::string& config_file, const std::string& options) {
  const ScratchFolder scratch(fixture.name);
  write_model(read_tensors(fixture.folder / "expected.safetensors"), fixture.folder / config_file,
              scratch.path());
  const std::filesystem::path out = scratch.path() / "out.safetensors";
  const std::filesystem::path log = scratch.path() / "log";
  const std::string command = fmt::format(
      "'{}' forward --model '{}' --tokens '{}' --out '{}' --gradients {}", PLEAT_BINARY,
      scratch.path().string(), (fixture.folder / "input_ids.safetensors").string(), out.string(), options);
  const int status = run_command(command, log);
  EXPECT_EQ(status, 0) << command << "\n" << base::read_text(log);
  return status == 0 ? read_tensors(out) : Tensors{};
}

}  // namespace pleat::parity
