// SPDX-License-Identifier: Apache-2.0
// Small files of a run: replaced as a whole, so that a reader sees the old content or the new one, never a
// part; read as a whole; and whether they still speak of what they were made from.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace pleat::train {

/// Writes `<path>.new` and renames it into place; DataError when the disk refuses (the old file then still
/// stands).
void replace_file(const std::filesystem::path& path, std::string_view content);

/// Both are there, and `file` is not older than what it was made from.
bool is_current(const std::filesystem::path& file, const std::filesystem::path& source);

/// The whole content of a file; DataError when it cannot be read.
std::string read_file(const std::filesystem::path& path);

}  // namespace pleat::train
