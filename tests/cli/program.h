// SPDX-License-Identifier: Apache-2.0
// The built program, run as a user runs it: words in, exit code and both streams out. And what it needs: a
// folder of its own, a tiny job, a tiny model.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "config/model_config.h"

namespace pleat::cli {

struct Outcome {
  int code = -1;
  std::string out, err;
};

/// `in`: the working directory.
Outcome run_pleat(const std::vector<std::string>& words, const std::filesystem::path& in = ".");

/// A folder that lives as long as this value.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  /// Writes a file, making its folders; its path.
  std::string write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

/// A two-layer mixture of experts over bytes.
std::string tiny_job();
config::ModelConfig tiny_model();
/// The tiny model with initial values as a Hugging Face directory.
void write_tiny_model(const std::filesystem::path& directory);

}  // namespace pleat::cli
