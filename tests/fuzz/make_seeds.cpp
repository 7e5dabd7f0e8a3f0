// SPDX-License-Identifier: Apache-2.0
// make_seeds CORPUS SOURCE: writes the first inputs of every fuzz target below CORPUS, from our own writers
// and from the jobs and model configurations in SOURCE.
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "base/file.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/store.h"
#include "data/tokens.h"

namespace {

using namespace pleat;
namespace fs = std::filesystem;

void put(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

/// Targets of a header beside a large file read the file's size from the first four bytes.
std::string with_size(uint32_t bytes, std::string_view text) {
  std::string result(sizeof bytes, '\0');
  std::memcpy(result.data(), &bytes, sizeof bytes);
  return result.append(text);
}

void safetensors(const fs::path& corpus) {
  const fs::path file = corpus / "made.safetensors";
  std::vector<float> values(24);
  checkpoint::SafetensorsWriter writer(file, {{"a.weight", base::DType::f32, {2, 3, 4}},
                                              {"b", base::DType::bf16, {0, 7}},
                                              {"c", base::DType::i64, base::Shape{}}});
  writer.write("a.weight", std::as_bytes(std::span(values)));
  writer.write("b", {});
  writer.write("c", std::as_bytes(std::span(values)).first(8));
  writer.commit();
  const std::string text = base::read_text(file);
  constexpr uint32_t kData = 24 * 4 + 8;
  put(corpus / "safetensors/three",
      with_size(kData, std::string_view(text).substr(8, text.size() - 8 - kData)));
  put(corpus / "safetensors/empty", with_size(0, "{}"));
  fs::remove(file);
}

void manifest(const fs::path& corpus) {
  checkpoint::Manifest value{100, 409600, "train:\n  steps: 200\n", {}, {}};
  put(corpus / "manifest/empty", checkpoint::to_text(value));
  value.files = {{"shard-0-of-1.safetensors", 1000, 0x0123456789abcdefu}};
  value.tensors = {{"embed", "weight", base::DType::f32, {256, 128}}, {"norm", "m", base::DType::f64, {128}}};
  put(corpus / "manifest/small", checkpoint::to_text(value));
}

void token_index(const fs::path& corpus) {
  const fs::path prefix = corpus / "made";
  data::TokenWriter writer(prefix, 256);
  writer.add_document(std::vector<int32_t>{1, 2, 3});
  writer.add_document({});
  writer.add_document(std::vector<int32_t>{4, 5});
  writer.commit();
  put(corpus / "token_index/three", with_size(10, base::read_text(prefix.string() + ".idx")));
  fs::remove(prefix.string() + ".idx");
  fs::remove(prefix.string() + ".bin");
}

/// Every file below `source` of that name or suffix is a seed.
void copies(const fs::path& source, std::string_view suffix, const fs::path& target) {
  std::error_code missing;
  int number = 0;
  for (fs::recursive_directory_iterator at(source, missing), end; !missing && at != end;
       at.increment(missing))
    if (at->is_regular_file() && at->path().filename().string().ends_with(suffix))
      put(target / std::to_string(number++), base::read_text(at->path()));
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::cerr << "usage: make_seeds CORPUS SOURCE\n";
    return 2;
  }
  const fs::path corpus = words[1], source = words[2];
  fs::create_directories(corpus);
  safetensors(corpus);
  manifest(corpus);
  token_index(corpus);
  copies(source / "tests/parity", "config.json", corpus / "config_json");
  copies(source / "configs", ".yaml", corpus / "job");
  copies(source / "tests", ".program", corpus / "program_text");
}
