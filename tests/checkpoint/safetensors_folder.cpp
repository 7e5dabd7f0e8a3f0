// SPDX-License-Identifier: Apache-2.0
// Models in one and in several files.
#include <gtest/gtest.h>

#include "checkpoint/safetensors.h"
#include "temporary_folder.h"

namespace pleat::checkpoint {
namespace {

using base::DataError;
using base::DType;
using testing::bytes_of;
using testing::error_of;
using testing::put;
using testing::TemporaryFolder;

void write_one(const std::filesystem::path& path, const std::string& name, float value) {
  std::vector<float> values{value};
  SafetensorsWriter writer(path, {{name, DType::f32, {1}}});
  writer.write(name, bytes_of(values));
  writer.commit();
}

float read_one(const SafetensorsFolder& model, std::string_view name) {
  std::vector<float> values(1);
  model.read(name, DType::f32, bytes_of(values));
  return values[0];
}

TEST(SafetensorsFolder, OneFile) {
  const TemporaryFolder folder;
  write_one(folder / "model.safetensors", "a", 3.0f);
  const SafetensorsFolder model(folder.path());
  EXPECT_EQ(model.names(), std::vector<std::string>{"a"});
  EXPECT_EQ(read_one(model, "a"), 3.0f);
  EXPECT_NE(error_of<DataError>([&] { read_one(model, "b"); }).find("no tensor 'b'"), std::string::npos);
}

TEST(SafetensorsFolder, SeveralFilesByTheIndex) {
  const TemporaryFolder folder;
  write_one(folder / "model-00001-of-00002.safetensors", "a", 1.0f);
  write_one(folder / "model-00002-of-00002.safetensors", "b", 2.0f);
  put(folder / "model.safetensors.index.json",
      R"({"metadata":{"total_size":8},"weight_map":{"a":"model-00001-of-00002.safetensors",)"
      R"("b":"model-00002-of-00002.safetensors"}})");
  const SafetensorsFolder model(folder.path());
  EXPECT_EQ(model.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(read_one(model, "a"), 1.0f);
  EXPECT_EQ(read_one(model, "b"), 2.0f);
  EXPECT_TRUE(model.contains("b"));
  EXPECT_FALSE(model.contains("c"));
}

TEST(SafetensorsFolder, RefusesWhatIsNotThereOrElsewhere) {
  const TemporaryFolder folder;
  const auto error = [&] { return error_of<DataError>([&] { SafetensorsFolder model(folder.path()); }); };
  EXPECT_NE(error().find("neither model.safetensors nor"), std::string::npos);
  const auto with_index = [&](std::string_view text) {
    put(folder / "model.safetensors.index.json", text);
    return error();
  };
  EXPECT_NE(with_index("").find("is not JSON"), std::string::npos);
  EXPECT_NE(with_index("{}").find("'weight_map' is missing"), std::string::npos);
  EXPECT_NE(with_index(R"({"weight_map":{}})").find("is empty"), std::string::npos);
  EXPECT_NE(with_index(R"({"weight_map":{"a":1}})").find("is not a string"), std::string::npos);
  for (const char* name : {"../x.safetensors", "/etc/passwd", "..", "", ".", "sub/x.safetensors"})
    EXPECT_NE(
        with_index(R"({"weight_map":{"a":")" + std::string(name) + "\"}}").find("is not the name of a file"),
        std::string::npos)
        << name;
  EXPECT_NE(with_index(R"({"weight_map":{"a":"none.safetensors"}})").find("No such file"), std::string::npos);
  write_one(folder / "other.safetensors", "b", 1.0f);
  EXPECT_NE(with_index(R"({"weight_map":{"a":"other.safetensors"}})").find("no tensor 'a'"),
            std::string::npos);
  EXPECT_NE(error_of<DataError>([&] { SafetensorsFolder model(folder / "none"); }).find("is not a folder"),
            std::string::npos);
}

}  // namespace
}  // namespace pleat::checkpoint
