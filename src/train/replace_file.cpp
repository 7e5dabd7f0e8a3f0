// SPDX-License-Identifier: Apache-2.0
#include "train/replace_file.h"

#include <fstream>
#include <iterator>

#include "base/errors.h"

namespace pleat::train {

using base::DataError;
using base::fail;

void replace_file(const std::filesystem::path& path, std::string_view content) {
  const std::filesystem::path fresh = path.string() + ".new";
  std::error_code error;
  {
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    if (!file) fail<DataError>("{}: cannot be created; is the directory there and writable?", fresh.string());
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    file.close();
    if (!file) {
      std::filesystem::remove(fresh, error);
      fail<DataError>("{}: {} bytes cannot be written; is the disk full?", fresh.string(), content.size());
    }
  }
  std::filesystem::rename(fresh, path, error);
  if (error) {
    const std::string reason = error.message();
    std::filesystem::remove(fresh, error);
    fail<DataError>("{}: cannot be replaced: {}", path.string(), reason);
  }
}

bool is_current(const std::filesystem::path& file, const std::filesystem::path& source) {
  std::error_code missing, nothing;
  const auto written = std::filesystem::last_write_time(file, missing);
  const auto changed = std::filesystem::last_write_time(source, nothing);
  return !missing && !nothing && written >= changed;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail<DataError>("{}: cannot be opened", path.string());
  std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (file.bad()) fail<DataError>("{}: cannot be read to its end", path.string());
  return content;
}

}  // namespace pleat::train
