// SPDX-License-Identifier: Apache-2.0
// The files of a fixture. forward.cpp runs the command, comparison.cpp holds the bounds.
#include "fixture.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <span>

#include "base/file.h"
#include "checkpoint/safetensors.h"
#include "seeded.h"

namespace pleat::parity {
namespace {

const std::filesystem::path kFixtures = std::filesystem::path(PLEAT_SOURCE_DIR) / "tests/parity/fixtures";
constexpr std::string_view kGradient = "grad.";

}  // namespace

std::vector<Fixture> fixtures(const std::string& file) {
  const auto manifest = nlohmann::json::parse(base::read_text(kFixtures / "manifest.json"));
  std::vector<Fixture> found;
  for (const auto& row : manifest.at("cases")) {
    const std::string name = row.at("name");
    const auto& noise = row.at("noise");
    Fixture fixture{name, kFixtures / name, {noise.at("logits"), noise.at("gradient")}};
    if (file.empty() || fixture.has(file)) found.push_back(fixture);
  }
  return found;
}

Fixture fixture_named(const std::string& name) {
  for (const Fixture& fixture : fixtures())
    if (fixture.name == name) return fixture;
  base::fail<base::DataError>("{}: no case '{}' in manifest.json", kFixtures.string(), name);
}

Tensors read_tensors(const std::filesystem::path& path) {
  const checkpoint::SafetensorsFile file(path);
  Tensors tensors;
  for (const checkpoint::TensorInfo& info : file.tensors()) {
    std::vector<double> values(static_cast<size_t>(info.shape.elements()));
    if (info.dtype == base::DType::i64) {
      std::vector<int64_t> whole(values.size());
      file.read(info, base::DType::i64, std::as_writable_bytes(std::span(whole)));
      for (size_t i = 0; i < whole.size(); ++i) values[i] = static_cast<double>(whole[i]);
    } else {
      file.read(info, base::DType::f64, std::as_writable_bytes(std::span(values)));
    }
    tensors.emplace(info.name, Tensor{info.shape, std::move(values)});
  }
  return tensors;
}

ScratchFolder::ScratchFolder(const std::string& name)
    : path_(std::filesystem::temp_directory_path() / fmt::format("pleat-parity-{}-{}", name, getpid())) {
  std::filesystem::remove_all(path_);
  std::filesystem::create_directories(path_);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void write_model(const Tensors& expected, const std::filesystem::path& config,
                 const std::filesystem::path& folder) {
  std::filesystem::copy_file(config, folder / "config.json");
  std::vector<checkpoint::TensorSpec> specs;
  for (const auto& [name, tensor] : expected)
    if (name.starts_with(kGradient))
      specs.push_back({name.substr(kGradient.size()), base::DType::f32, tensor.shape});
  checkpoint::SafetensorsWriter writer(folder / "model.safetensors", specs);
  for (const checkpoint::TensorSpec& spec : writer.order()) {
    const std::vector<float> values = seeded_weight(spec.name, spec.shape.elements());
    writer.write(spec.name, std::as_bytes(std::span(values)));
  }
  writer.commit();
}

}  // namespace pleat::parity
