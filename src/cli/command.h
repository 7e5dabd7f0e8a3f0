// SPDX-License-Identifier: Apache-2.0
// A command being described: its arguments are written into the command's own variables, then its body runs.
// CLI11 is behind this header, because it costs seconds in every file that sees it.
#pragma once
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace pleat::cli {

/// Gives the exit code: 0 good, 1 the answer is no.
using Body = std::function<int()>;

class Command {
 public:
  static constexpr int64_t kMany = std::numeric_limits<int32_t>::max();  // ranks, rows and threads are 32-bit

  /// `chosen` becomes the body of the command that the user wrote.
  Command(CLI::App& app, Body& chosen) : app_(&app), chosen_(&chosen) {}

  /// A command under this one.
  Command command(const std::string& name, const std::string& summary);
  /// Shown after the options.
  void notes(const std::string& text);
  /// What runs; the variables below must live in it.
  void runs(Body body);

  /// By position. `name` is what help calls it.
  void argument(const std::string& name, std::string& into, const std::string& help);
  void arguments(const std::string& name, std::vector<std::string>& into, const std::string& help,
                 bool required);

  /// --name VALUE; the value that is there already is the default, and help shows it.
  void option(const std::string& name, std::string& into, const std::string& label, const std::string& help);
  void option(const std::string& name, int64_t& into, const std::string& label, const std::string& help,
              int64_t least, int64_t most = kMany);
  void option(const std::string& name, double& into, const std::string& label, const std::string& help,
              double least, double most);
  /// Without a default.
  void option(const std::string& name, std::optional<int64_t>& into, const std::string& label,
              const std::string& help, int64_t least, int64_t most = kMany);
  void option(const std::string& name, std::optional<std::string>& into, const std::string& label,
              const std::string& help);
  void required(const std::string& name, std::string& into, const std::string& label,
                const std::string& help);
  void choice(const std::string& name, std::string& into, std::span<const std::string_view> among,
              const std::string& help);
  void flag(const std::string& name, bool& into, const std::string& help);

 private:
  CLI::App* app_;
  Body* chosen_;
};

/// Describes all commands.
using Describe = std::function<void(Command&)>;

/// Reads the words of a command line. Empty: it asked for help, which was printed to stdout. Throws JobError
/// for what no command takes.
Body parse(int count, const char* const* words, const Describe& describe);

}  // namespace pleat::cli
