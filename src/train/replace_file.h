// SPDX-License-Identifier: Apache-2.0
// Replaces a small file as a whole: a reader sees the old content or the new one, never a part.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace pleat::train {

/// Writes `<path>.new` and renames it into place; DataError when the disk refuses (the old file then still
/// stands).
void replace_file(const std::filesystem::path& path, std::string_view content);

/// The whole content of a file; DataError when it cannot be read.
std::string read_file(const std::filesystem::path& path);

}  // namespace pleat::train
