// SPDX-License-Identifier: Apache-2.0
// Splitting by name, and the two numbers that tell what a split is worth.
#include "data/split.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_set>

#include "base/errors.h"
#include "base/file.h"
#include "data/permutation.h"

namespace pleat::data {
namespace {

using base::DataError;
using base::fail;
namespace fs = std::filesystem;

uint64_t hash(std::string_view name) {
  uint64_t h = 0xcbf29ce484222325u;  // FNV-1a, then mixed: its upper bits alone are poor
  for (char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return mix(h);
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r\v\f";
  const size_t first = line.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
}

template <class Visit>
void for_each_content_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    if (line.size() > kContentLine) visit(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

bool held_back(std::string_view name, double share) {
  constexpr double kUnit = 1.0 / static_cast<double>(uint64_t{1} << 53);
  return static_cast<double>(hash(name) >> 11) * kUnit < share;
}

Split split_files(std::span<const fs::path> files, const fs::path& root, double share) {
  Split split;
  for (const fs::path& file : files) {
    const std::string name = file.lexically_relative(root).generic_string();
    (held_back(name.empty() ? file.generic_string() : name, share) ? split.held_back : split.train)
        .push_back(file);
  }
  if (split.train.empty() || split.held_back.empty())
    fail<DataError>("{}: a share of {} holds {} of {} files back: neither side may be empty", root.string(),
                    share, split.held_back.size(), files.size());
  return split;
}

std::vector<fs::path> files_below(const fs::path& root, std::string_view suffix) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::recursive_directory_iterator at(root, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (at->path().filename().string().ends_with(suffix) && at->is_regular_file(ignored))
      files.push_back(at->path());
  }
  if (error) fail<DataError>("{}: cannot be listed: {}", root.string(), error.message());
  if (files.empty()) fail<DataError>("{}: no file below it ends in '{}'", root.string(), suffix);
  std::ranges::sort(files, {}, [](const fs::path& path) { return path.generic_string(); });
  return files;
}

Overlap overlap(std::string_view held_back_text, std::string_view training_text) {
  std::unordered_set<std::string_view> known;
  for_each_content_line(training_text, [&](std::string_view line) { known.insert(line); });
  Overlap result;
  for_each_content_line(held_back_text, [&](std::string_view line) {
    ++result.lines;
    result.shared += known.contains(line) ? 1 : 0;
  });
  return result;
}

double unigram_entropy(std::string_view text) {
  if (text.empty()) return 0.0;
  std::array<int64_t, 256> counts{};
  for (char c : text) ++counts[static_cast<unsigned char>(c)];
  double bits = 0.0;
  const auto total = static_cast<double>(text.size());
  for (int64_t count : counts)
    if (count > 0) bits -= static_cast<double>(count) / total * std::log2(static_cast<double>(count) / total);
  return bits;
}

std::string concatenated(std::span<const fs::path> files) {
  std::string text;
  for (const fs::path& file : files) text += base::read_text(file);
  return text;
}

}  // namespace pleat::data
