// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cstdlib>
#include <numeric>
#include <stdexcept>

#include "base/file.h"
#include "checkpoint/safetensors.h"
#include "config/job.h"
#include "model/families/hugging_face_config.h"
#include "model/families/parameters.h"

namespace pleat::cli {
namespace {

std::string quoted(const std::string& word) {
  std::string text = "'";
  for (char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace

Outcome run_pleat(const std::vector<std::string>& words, const std::filesystem::path& in) {
  const Folder streams;
  std::string command = fmt::format("cd {} && {}", quoted(in.string()), quoted(PLEAT_BINARY));
  for (const std::string& word : words) command += " " + quoted(word);
  command += fmt::format(" > {} 2> {} < /dev/null", quoted(streams / "out"), quoted(streams / "err"));
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), base::read_text(streams / "out"),
          base::read_text(streams / "err")};
}

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "pleat-cli-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}
Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}
std::string Folder::write(const std::string& name, const std::string& text) const {
  const std::filesystem::path path = path_ / name;
  std::filesystem::create_directories(path.parent_path());
  base::write_text(path, text);
  return path.string();
}

std::string tiny_job() {
  return R"(run:
  directory: runs/tiny
train:
  steps: 4
  global_batch: 4
  micro_batch: 1
  sequence: 16
  seed: 5
layout:
  pp: 2
  dp: 2
  ep: 2
data:
  train: tokens
model:
  family: qwen3_moe
  vocab_size: 256
  hidden_size: 16
  num_hidden_layers: 2
  num_attention_heads: 2
  num_key_value_heads: 1
  head_dim: 8
  max_position_embeddings: 16
  num_experts: 4
  num_experts_per_tok: 2
  moe_intermediate_size: 16
  norm_topk_prob: true
)";
}

config::ModelConfig tiny_model() {
  return config::parse_job(tiny_job(), "tiny.yaml").model;
}

void write_tiny_model(const std::filesystem::path& directory) {
  const config::ModelConfig model = tiny_model();
  std::filesystem::create_directories(directory);
  base::write_text(directory / "config.json", model::hugging_face_config(model, "float32"));
  const std::vector<model::HuggingFaceTensor> tensors = model::hugging_face_tensors(model);
  std::vector<checkpoint::TensorSpec> specs;
  for (const model::HuggingFaceTensor& tensor : tensors)
    specs.push_back({tensor.name, base::DType::f32, tensor.shape});
  checkpoint::SafetensorsWriter writer(directory / "model.safetensors", specs);
  for (const model::HuggingFaceTensor& tensor : tensors) {
    std::vector<float> values(static_cast<size_t>(tensor.shape.elements()));
    model::initial_values(model, tensor.parameter, tensor.begin, tensor.extent, 11, values);
    writer.write(tensor.name, std::as_bytes(std::span(values)));
  }
  writer.commit();
}

}  // namespace pleat::cli
