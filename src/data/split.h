// SPDX-License-Identifier: Apache-2.0
// Which files are held back from training, and what makes a result on them believable: how much of them is
// also in the training text, and what a model without any context would reach.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pleat::data {

/// True for about `share` of all names; depends on the name alone, so adding files moves none.
bool held_back(std::string_view name, double share);

struct Split {
  std::vector<std::filesystem::path> train;
  std::vector<std::filesystem::path> held_back;
};
/// By the hash of each file's path below `root`. DataError when either side would be empty.
Split split_files(std::span<const std::filesystem::path> files, const std::filesystem::path& root,
                  double share);

/// All regular files below `root` whose names end in `suffix`, in order of name. DataError when there is
/// none.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& root, std::string_view suffix);

/// Lines of more than this many bytes count as content.
inline constexpr size_t kContentLine = 40;

struct Overlap {
  int64_t lines = 0;   // held-back lines over kContentLine bytes
  int64_t shared = 0;  // of them, how many are also a line of the training text
  double share() const { return lines == 0 ? 0.0 : static_cast<double>(shared) / static_cast<double>(lines); }
};
/// Lines are compared without the blanks around them, so that indentation hides no copy.
Overlap overlap(std::string_view held_back_text, std::string_view training_text);

/// Bits per byte of a model that knows only how frequent each byte is in this very text. 0 for no text.
double unigram_entropy(std::string_view text);

/// All files one after the other.
std::string concatenated(std::span<const std::filesystem::path> files);

}  // namespace pleat::data
