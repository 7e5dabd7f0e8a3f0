// SPDX-License-Identifier: Apache-2.0
// pleat data split | tokenize | entropy: text files to token files, and what makes a result on them
// believable.
#include <filesystem>
#include <memory>

#include "base/errors.h"
#include "base/file.h"
#include "cli/commands.h"
#include "data/bytes.h"
#include "data/split.h"
#include "train/progress.h"

namespace pleat::cli {
namespace {

using std::filesystem::path;
using Paths = std::vector<path>;

/// Words are files, or @LIST: a file that names one file a line.
Paths named_files(const std::vector<std::string>& words) {
  Paths files;
  for (const std::string& word : words) {
    if (!word.starts_with("@")) {
      files.emplace_back(word);
      continue;
    }
    const std::string list = base::read_text(word.substr(1));
    for (size_t begin = 0; begin < list.size();) {
      const size_t end = std::min(list.find('\n', begin), list.size());
      if (end > begin) files.emplace_back(list.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  if (files.empty()) base::fail<base::DataError>("{}: no file is named", fmt::join(words, " "));
  return files;
}

void write_list(const std::string& to, const Paths& files) {
  std::string text;
  for (const path& file : files) {
    if (file.native().find('\n') != std::string::npos)
      base::fail<base::DataError>("{}: a list cannot hold a name with a line end in it", file.string());
    text += file.string() + "\n";
  }
  base::write_text(to, text);
}

// ---- split
// -------------------------------------------------------------------------------------------------------

struct SplitArguments {
  std::string directory, train, held_out, suffix;
  double share = 0.05, most = 0.05;
};

int split(const SplitArguments& arguments) {
  const Paths files = data::files_below(arguments.directory, arguments.suffix);
  const data::Split split = data::split_files(files, arguments.directory, arguments.share);
  const std::string train = data::concatenated(split.train), held_out = data::concatenated(split.held_back);
  const data::Overlap overlap = data::overlap(held_out, train);
  write_list(arguments.train, split.train);
  write_list(arguments.held_out, split.held_back);
  const auto count = [](size_t n) { return train::humanise_count(static_cast<int64_t>(n)); };
  fmt::print(
      "held back by name: {} of {} files, {} of {} bytes; {:.1f} % of their {} lines over {} bytes also "
      "occur in "
      "the training text\n",
      count(split.held_back.size()), count(files.size()), count(held_out.size()),
      count(held_out.size() + train.size()), 100 * overlap.share(), train::humanise_count(overlap.lines),
      data::kContentLine);
  if (overlap.share() <= arguments.most) return 0;
  fmt::print("that is above {:.1f} %: a result on this text would say little\n", 100 * arguments.most);
  return 1;
}

void add_split(Command& data) {
  Command command = data.command("split", "Holds whole files back from training, by the hash of their names");
  const auto arguments = std::make_shared<SplitArguments>();
  command.argument("DIR", arguments->directory, "all files below it");
  command.option("--held-out-share", arguments->share, "SHARE", "of the files, about", 0, 1);
  command.option("--suffix", arguments->suffix, "END", "only files whose names end so");
  command.option("--most-overlap", arguments->most, "SHARE",
                 "exit with 1 when more of the held-back lines over 40 bytes occur in the training text", 0,
                 1);
  command.required("--train", arguments->train, "LIST", "gets the files for training, a line each");
  command.required("--held-out", arguments->held_out, "LIST", "gets those held back");
  command.notes(
      "Examples:\n"
      "  pleat data split text --held-out-share 0.05 --train train.list --held-out held_out.list");
  command.runs([arguments] { return split(*arguments); });
}

// ---- tokenize
// ----------------------------------------------------------------------------------------------------

constexpr std::array<std::string_view, 1> kTokenizers{"bytes"};

struct TokenizeArguments {
  std::vector<std::string> inputs;
  std::string tokenizer = "bytes", out;
};

int tokenize(const TokenizeArguments& arguments) {
  const data::TokenizeResult result = data::tokenize_bytes(named_files(arguments.inputs), arguments.out);
  fmt::print("{}.bin and .idx: {} tokens in {} documents{}\n", arguments.out,
             train::humanise_count(result.tokens), train::humanise_count(result.documents),
             result.empty_files > 0 ? fmt::format(", {} empty files left out", result.empty_files) : "");
  return 0;
}

void add_tokenize(Command& data) {
  Command command = data.command("tokenize", "Text to token files (Megatron's .bin and .idx)");
  const auto arguments = std::make_shared<TokenizeArguments>();
  command.arguments("INPUT", arguments->inputs, "text files, a document each; @LIST names one a line", true);
  command.choice("--tokenizer", arguments->tokenizer, kTokenizers, "bytes: a token is a byte");
  command.required("--out", arguments->out, "PREFIX", "writes PREFIX.bin and PREFIX.idx");
  command.notes(
      "Examples:\n"
      "  pleat data tokenize README.md HACKING.md --tokenizer bytes --out build/pages\n"
      "  pleat data tokenize @train.list --tokenizer bytes --out train");
  command.runs([arguments] { return tokenize(*arguments); });
}

// ---- entropy
// -----------------------------------------------------------------------------------------------------

int entropy(const std::vector<std::string>& inputs) {
  const std::string text = data::concatenated(named_files(inputs));
  fmt::print("{} bytes, unigram entropy {:.3f} bits per byte\n",
             train::humanise_count(static_cast<int64_t>(text.size())), data::unigram_entropy(text));
  return 0;
}

void add_entropy(Command& data) {
  Command command =
      data.command("entropy", "Bits per byte of a model that knows only how frequent each byte is");
  const auto inputs = std::make_shared<std::vector<std::string>>();
  command.arguments("INPUT", *inputs, "text files; @LIST names one a line", true);
  command.notes("Examples:\n  pleat data entropy @held_out.list");
  command.runs([inputs] { return entropy(*inputs); });
}

}  // namespace

void add_data(Command& root) {
  Command data = root.command("data", "Splits text, turns it into token files, measures it");
  add_split(data);
  add_tokenize(data);
  add_entropy(data);
  data.notes("Examples:\n  pleat data tokenize README.md --tokenizer bytes --out build/pages");
}

}  // namespace pleat::cli
