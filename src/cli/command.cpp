// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <iostream>
#include <limits>
#include <set>
#include <type_traits>

#include "base/errors.h"
#include "config/suggest.h"

namespace pleat::cli {
namespace {

/// Names are refused by value, so that the error can list the legal ones.
CLI::Option* labelled(CLI::Option* option, const std::string& label) {
  return option->type_name(label)->multi_option_policy(CLI::MultiOptionPolicy::Throw);
}

template <class Number>
std::function<std::string(const std::string&)> in_range(Number least, Number most) {
  return [=](const std::string& text) -> std::string {
    Number value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc::result_out_of_range && (error != std::errc() || stop != end))
      return fmt::format("'{}' is not {}", text, std::is_integral_v<Number> ? "a whole number" : "a number");
    if (error == std::errc() && value >= least && value <= most) return {};
    if (most == std::numeric_limits<Number>::max()) return fmt::format("{} must be at least {}", text, least);
    return fmt::format("{} must be from {} to {}", text, least, most);
  };
}

std::vector<std::string> names_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

/// "pleat data split": the words that led to a command.
std::string path_of(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : path_of(*app.get_parent()) + " " + app.get_name();
}

/// Down to the last command that the words name; throws for a word that should be a command and is none.
CLI::App& find_command(CLI::App& root, int count, const char* const* words) {
  CLI::App* app = &root;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const std::vector<std::string> names = names_of(*app);
    if (names.empty() || word.starts_with("-")) break;
    if (std::find(names.begin(), names.end(), word) == names.end())
      base::fail<base::JobError>("no command '{}' of {}{}; the commands are {}", word, path_of(*app),
                                 config::did_you_mean(config::nearest(word, names)), fmt::join(names, ", "));
    app = app->get_subcommand(word);
  }
  return *app;
}

std::string name_of_option(std::string_view word) {
  return std::string(word.substr(0, word.find('=')));
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

/// What the words say wrong, as one can act on it; the parser's own words for what is left.
[[noreturn]] void refuse(const CLI::App& named, int count, const char* const* words,
                         const CLI::ParseError& error) {
  const std::string path = path_of(named);
  const std::vector<std::string> options = options_of(named);
  std::set<std::string> seen;
  for (int i = 1; i < count && std::string_view(words[i]) != "--"; ++i) {
    if (!std::string_view(words[i]).starts_with("--")) continue;
    const std::string option = name_of_option(words[i]);
    if (std::find(options.begin(), options.end(), option) == options.end())
      base::fail<base::JobError>("no option {} of {}{}; its options are {}", option, path,
                                 config::did_you_mean(config::nearest(option, options)),
                                 fmt::join(options, ", "));
    if (!seen.insert(option).second)
      base::fail<base::JobError>("{} is given twice; {} takes it once", option, path);
  }
  base::fail<base::JobError>("{}\n{} --help says how to use it", error.what(), path);
}

/// Ends in one line end.
std::string help_of(const CLI::App& named) {
  std::string text = named.help(named.get_parent() == nullptr ? "" : path_of(*named.get_parent()));
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

}  // namespace

Command Command::command(const std::string& name, const std::string& summary) {
  app_->require_subcommand(1);
  return {*app_->add_subcommand(name, summary), *chosen_};
}

void Command::notes(const std::string& text) {
  app_->footer(text);
}

void Command::runs(Body body) {
  app_->callback([chosen = chosen_, body = std::move(body)] { *chosen = body; });
}

void Command::argument(const std::string& name, std::string& into, const std::string& help) {
  app_->add_option(name, into, help)->required()->option_text(" ");
}

void Command::arguments(const std::string& name, std::vector<std::string>& into, const std::string& help,
                        bool required) {
  app_->add_option(name, into, help)->required(required)->option_text("...");
}

void Command::option(const std::string& name, std::string& into, const std::string& label,
                     const std::string& help) {
  CLI::Option* option = labelled(app_->add_option(name, into, help), label);
  if (!into.empty()) option->capture_default_str();
}

void Command::option(const std::string& name, int64_t& into, const std::string& label,
                     const std::string& help, int64_t least, int64_t most) {
  labelled(app_->add_option(name, into, help), label)->check(in_range(least, most))->capture_default_str();
}

void Command::option(const std::string& name, double& into, const std::string& label, const std::string& help,
                     double least, double most) {
  labelled(app_->add_option(name, into, help), label)->check(in_range(least, most))->capture_default_str();
}

void Command::option(const std::string& name, std::optional<int64_t>& into, const std::string& label,
                     const std::string& help, int64_t least, int64_t most) {
  const std::function<void(const int64_t&)> take = [&into](const int64_t& value) { into = value; };
  labelled(app_->add_option_function(name, take, help), label)->check(in_range(least, most));
}

void Command::option(const std::string& name, std::optional<std::string>& into, const std::string& label,
                     const std::string& help) {
  const std::function<void(const std::string&)> take = [&into](const std::string& value) { into = value; };
  labelled(app_->add_option_function(name, take, help), label);
}

void Command::required(const std::string& name, std::string& into, const std::string& label,
                       const std::string& help) {
  labelled(app_->add_option(name, into, help), label)->required();
}

void Command::choice(const std::string& name, std::string& into, std::span<const std::string_view> among,
                     const std::string& help) {
  const auto check = [among](const std::string& word) {
    const bool legal = std::find(among.begin(), among.end(), word) != among.end();
    return legal ? std::string() : fmt::format("'{}' is not one of {}", word, fmt::join(among, ", "));
  };
  labelled(app_->add_option(name, into, help), fmt::format("{}", fmt::join(among, "|")))
      ->check(check)
      ->capture_default_str();
}

void Command::flag(const std::string& name, bool& into, const std::string& help) {
  app_->add_flag(name, into, help);
}

Body parse(int count, const char* const* words, const Describe& describe) {
  Body chosen;
  CLI::App app(
      "Trains mixture-of-experts and dense language models on CPUs. A training step is a value: compiled "
      "from a\n"
      "job, then proved, predicted, printed or run.",
      "pleat");
  app.get_formatter()->column_width(34);
  app.set_version_flag("--version", "pleat " PLEAT_VERSION, "Print the version and exit");
  Command root(app, chosen);
  describe(root);
  const CLI::App& named = find_command(app, count, words);
  try {
    app.parse(count, words);
  } catch (const CLI::CallForHelp&) {
    std::cout << help_of(named);
    return {};
  } catch (const CLI::CallForVersion& version) {
    std::cout << version.what() << "\n";
    return {};
  } catch (const CLI::ParseError& error) {
    refuse(named, count, words, error);
  }
  return chosen;
}

}  // namespace pleat::cli
