// SPDX-License-Identifier: Apache-2.0
// What is written is read back, whole, by slices, converted, and from several threads.
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <thread>

#include "checkpoint/checksum.h"
#include "checkpoint/safetensors.h"
#include "temporary_folder.h"

namespace pleat::checkpoint {
namespace {

using base::DType;
using base::Shape;
using testing::bytes_of;
using testing::contents;
using testing::error_of;
using testing::put;
using testing::TemporaryFolder;

std::vector<float> counting(int64_t count) {
  std::vector<float> values(static_cast<size_t>(count));
  std::iota(values.begin(), values.end(), 1.0f);
  return values;
}

TEST(SafetensorsFile, WritesTheBytesThatTheFormatSays) {
  const TemporaryFolder folder;
  std::vector<float> a{1.0f, 2.0f};
  std::vector<int64_t> z{-1};
  SafetensorsWriter writer(folder / "x.safetensors", {{"a", DType::f32, {2}}, {"z", DType::i64, Shape{}}});
  writer.write("a", bytes_of(a));
  writer.write("z", bytes_of(z));
  writer.commit();
  std::string json = R"({"__metadata__":{"format":"pt"},"z":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
                     R"("a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})";
  json.append((8 - json.size() % 8) % 8, ' ');
  std::string expected(8, '\0');
  expected[0] = static_cast<char>(json.size());
  ASSERT_LT(json.size(), 256u);
  expected += json + std::string(8, '\xff') + std::string("\0\0\x80\x3f\0\0\0\x40", 8);
  EXPECT_EQ(contents(folder / "x.safetensors"), expected);
  EXPECT_EQ(writer.checksum(), checksum_of(base::InputFile(folder / "x.safetensors")));
}

TEST(SafetensorsFile, RoundTripIsByteEqual) {
  const TemporaryFolder folder;
  std::vector<float> weights = counting(6);
  std::vector<double> wide{0.1, -1e300};
  std::vector<int32_t> empty;
  const auto write = [&](const std::string& name, bool reversed) {
    SafetensorsWriter writer(folder / name,
                             {{"w", DType::f32, {2, 3}}, {"d", DType::f64, {2}}, {"e", DType::i32, {0, 4}}},
                             {{"note", "\"quoted\" \n \u00e4"}});
    const std::vector<std::string> order{"d", "e", "w"};
    for (size_t i = 0; i < 3; ++i) {
      const std::string& tensor = order[reversed ? 2 - i : i];
      writer.write(tensor, tensor == "w"   ? bytes_of(weights)
                           : tensor == "d" ? bytes_of(wide)
                                           : bytes_of(empty));
    }
    writer.commit();
    EXPECT_EQ(writer.checksum(), checksum_of(base::InputFile(folder / name)));
  };
  write("a.safetensors", false);
  write("b.safetensors", true);
  EXPECT_EQ(contents(folder / "a.safetensors"), contents(folder / "b.safetensors"));

  const SafetensorsFile file(folder / "a.safetensors");
  EXPECT_EQ(file.metadata().at("note"), "\"quoted\" \n \u00e4");
  EXPECT_EQ(file.metadata().at("format"), "pt");
  ASSERT_EQ(file.tensors().size(), 3u);
  EXPECT_EQ(file.tensors()[0].name, "d");
  EXPECT_EQ(file.tensor("e").shape, (Shape{0, 4}));
  std::vector<float> read_weights(6);
  file.read(file.tensor("w"), DType::f32, bytes_of(read_weights));
  EXPECT_EQ(read_weights, weights);
  std::vector<double> read_wide(2);
  file.read(file.tensor("d"), DType::f64, bytes_of(read_wide));
  EXPECT_EQ(read_wide, wide);
  file.read(file.tensor("e"), DType::i32, {});
}

TEST(SafetensorsFile, ReadsSlicesNearAndFar) {
  const TemporaryFolder folder;
  // Rows of 1 kB are read together, rows of 200 kB apart, and a run above 1 MiB in pieces.
  for (const Shape& shape : {Shape{40, 256}, Shape{12, 50'000}, Shape{3, 700'000}}) {
    std::vector<float> values = counting(shape.elements());
    SafetensorsWriter writer(folder / "x.safetensors", {{"w", DType::f32, shape}});
    writer.write("w", bytes_of(values));
    writer.commit();
    const SafetensorsFile file(folder / "x.safetensors");
    const Box box{{1, 5}, {shape[0] - 2, shape[1] - 9}};
    std::vector<double> part(static_cast<size_t>(box.extent.elements()));
    file.read_slice(file.tensor("w"), box, DType::f64, bytes_of(part));
    for (int64_t row = 0; row < box.extent[0]; ++row)
      for (int64_t column = 0; column < box.extent[1]; ++column)
        ASSERT_EQ(part[static_cast<size_t>(row * box.extent[1] + column)],
                  values[static_cast<size_t>((row + 1) * shape[1] + column + 5)]);
    const Box thin{{0, 7}, {shape[0], 1}};
    std::vector<float> column(static_cast<size_t>(shape[0]));
    file.read_slice(file.tensor("w"), thin, DType::f32, bytes_of(column));
    for (int64_t row = 0; row < shape[0]; ++row)
      ASSERT_EQ(column[static_cast<size_t>(row)], values[static_cast<size_t>(row * shape[1] + 7)]);
  }
}

TEST(SafetensorsFile, ConvertsWhileReading) {
  const TemporaryFolder folder;
  std::vector<double> values{1.0, 1.0 + 1.0 / 256, -3.14159265358979, 1e39};
  SafetensorsWriter writer(folder / "x.safetensors", {{"w", DType::f64, {4}}});
  writer.write("w", bytes_of(values));
  writer.commit();
  const SafetensorsFile file(folder / "x.safetensors");
  std::vector<base::bf16> narrow(4);
  file.read(file.tensor("w"), DType::bf16, bytes_of(narrow));
  EXPECT_EQ(narrow[1].bits, 0x3f80);  // a tie, to even
  EXPECT_EQ(narrow[3].bits, 0x7f80);
  std::vector<int64_t> whole(4);
  const std::string text =
      error_of<base::DataError>([&] { file.read(file.tensor("w"), DType::i64, bytes_of(whole)); });
  EXPECT_NE(text.find("'w': F64 cannot be read as i64"), std::string::npos) << text;
}

TEST(SafetensorsFile, SlicesFromSeveralThreadsMakeOneTensor) {
  const TemporaryFolder folder;
  const Shape shape{8, 12, 5};
  std::vector<float> values = counting(shape.elements());
  SafetensorsWriter writer(folder / "x.safetensors", {{"w", DType::f32, shape}});
  std::vector<std::jthread> threads;
  for (int64_t part = 0; part < 4; ++part)
    threads.emplace_back([&, part] {
      const Box box{{0, 3 * part, 0}, {8, 3, 5}};
      std::vector<float> slice;
      for (int64_t i = 0; i < 8; ++i)
        for (int64_t j = 0; j < 15; ++j) slice.push_back(values[static_cast<size_t>(i * 60 + part * 15 + j)]);
      writer.write_slice("w", box, bytes_of(slice));
    });
  threads.clear();
  writer.commit();
  const SafetensorsFile file(folder / "x.safetensors");
  std::vector<float> read(values.size());
  file.read(file.tensor("w"), DType::f32, bytes_of(read));
  EXPECT_EQ(read, values);
  EXPECT_EQ(writer.checksum(), checksum_of(base::InputFile(folder / "x.safetensors")));
}

TEST(SafetensorsWriter, RefusesAnIncompleteTensorAndLeavesNothing) {
  const TemporaryFolder folder;
  std::vector<float> row = counting(3);
  {
    SafetensorsWriter writer(folder / "x.safetensors", {{"w", DType::f32, {2, 3}}});
    writer.write_slice("w", {{0, 0}, {1, 3}}, bytes_of(row));
    const std::string text = error_of<base::CheckError>([&] { writer.commit(); });
    EXPECT_NE(text.find("'w' is not completely written: [1:2, 0:3] is missing"), std::string::npos) << text;
    EXPECT_THROW(writer.write_slice("w", {{0, 2}, {1, 1}}, bytes_of(row).first(4)), base::CheckError);
    EXPECT_THROW(writer.write_slice("w", {{1, 0}, {1, 3}}, bytes_of(row).first(8)), base::CheckError);
    EXPECT_THROW(writer.write_slice("w", {{1, 1}, {1, 3}}, bytes_of(row)), base::CheckError);
    EXPECT_THROW(writer.write("other", bytes_of(row)), base::CheckError);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_THROW(SafetensorsWriter(folder / "x", {{"w", DType::f32, {1}}, {"w", DType::f64, {1}}}),
               base::CheckError);
  EXPECT_THROW(SafetensorsWriter(folder / "x", {{"\xff", DType::f32, {1}}}), base::CheckError);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(SafetensorsWriter, AFailureLeavesTheOldFile) {
  const TemporaryFolder folder;
  put(folder / "x.safetensors", "old");
  std::vector<float> values = counting(4);
  int calls = 0, failed = 0;
  for (int at = 0;; ++at) {
    calls = 0;
    try {
      SafetensorsWriter writer(folder / "x.safetensors", {{"w", DType::f32, {4}}}, {}, [&](std::string_view) {
        if (calls++ == at) throw base::DataError("injected");
      });
      writer.write("w", bytes_of(values));
      writer.commit();
      break;
    } catch (const base::DataError&) {
      ++failed;
      // Only the last point, the sync of the folder, comes after the rename.
      if (calls < 6) {
        EXPECT_EQ(contents(folder / "x.safetensors"), "old");
      }
      EXPECT_FALSE(std::filesystem::exists(folder / "x.safetensors.partial"));
    }
  }
  EXPECT_EQ(failed, 6);  // create, header, tensor, sync, rename, sync of the folder
  EXPECT_EQ(SafetensorsFile(folder / "x.safetensors").tensors().size(), 1u);
}

}  // namespace
}  // namespace pleat::checkpoint
