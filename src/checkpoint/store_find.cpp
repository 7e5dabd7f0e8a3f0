// SPDX-License-Identifier: Apache-2.0
// Which checkpoints a run has, and which of them can be trusted.
#include <algorithm>

#include "base/errors.h"
#include "checkpoint/checksum.h"
#include "checkpoint/store.h"

namespace pleat::checkpoint {
namespace {

using base::DataError;
using base::fail;
namespace fs = std::filesystem;

constexpr std::string_view kPartial = ".partial";

std::optional<StepFolder> step_folder(const fs::path& path) {
  constexpr std::string_view kStep = "step-";
  const std::string text = path.filename().string();
  std::string_view name = text;
  if (!name.starts_with(kStep)) return std::nullopt;
  name.remove_prefix(kStep.size());
  const bool partial = name.ends_with(kPartial);
  if (partial) name.remove_suffix(kPartial.size());
  constexpr size_t kFewest = 8, kMost = 18;  // digits; 18 fit 63 bits
  if (name.size() < kFewest || name.size() > kMost) return std::nullopt;
  if (name.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return StepFolder{std::stoll(std::string(name)), partial, path};
}

}  // namespace

fs::path checkpoint_path(const fs::path& run_directory, int64_t step) {
  return run_directory / "checkpoints" / fmt::format("step-{:08}", step);
}

std::vector<StepFolder> step_folders(const fs::path& run_directory) {
  std::vector<StepFolder> folders;
  std::error_code error, ignored;
  for (fs::directory_iterator at(run_directory / "checkpoints", error), end; !error && at != end;
       at.increment(error))
    if (const auto folder = step_folder(at->path()); folder && fs::is_directory(folder->path, ignored))
      folders.push_back(*folder);
  if (error && error != std::errc::no_such_file_or_directory)
    fail<DataError>("{}: cannot be listed: {}", (run_directory / "checkpoints").string(), error.message());
  std::ranges::sort(folders, {}, [](const StepFolder& f) { return std::pair(f.step, f.path.string()); });
  return folders;
}

Manifest verify(const fs::path& checkpoint) {
  const fs::path path = checkpoint / "manifest.json";
  if (!fs::exists(path))
    fail<DataError>("{}: has no manifest.json: the save did not finish", checkpoint.string());
  Manifest manifest = manifest_from_text(base::read_text(path), path.string());
  for (const FileRecord& record : manifest.files) {
    const base::InputFile file(checkpoint / record.name);
    if (file.size() != record.size)
      fail<DataError>("{}: {} bytes, the manifest says {}", file.path().string(), file.size(), record.size);
    const uint64_t checksum = checksum_of(file);
    if (checksum != record.checksum)
      fail<DataError>("{}: xxHash64 {:016x}, the manifest says {:016x}: the file is damaged",
                      file.path().string(), checksum, record.checksum);
  }
  return manifest;
}

Found newest_complete(const fs::path& run_directory) {
  Found found;
  std::vector<StepFolder> folders = step_folders(run_directory);
  std::ranges::reverse(folders);
  for (const StepFolder& folder : folders) {
    if (folder.partial) {
      found.notes.push_back(fmt::format("{}: a save that did not finish; skipped", folder.path.string()));
      continue;
    }
    try {
      const Manifest manifest = verify(folder.path);
      if (manifest.step != folder.step)
        fail<DataError>("{}: its manifest says step {}", folder.path.string(), manifest.step);
      found.checkpoint = folder.path;
      return found;
    } catch (const FormatError&) {
      throw;
    } catch (const DataError& error) {
      found.notes.push_back(fmt::format("{}; skipped", error.what()));
    }
  }
  return found;
}

}  // namespace pleat::checkpoint
