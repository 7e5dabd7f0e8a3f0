// SPDX-License-Identifier: Apache-2.0
// Any layout reads what any other wrote; what cannot be right is refused, when writing and when reading.
#include "checkpoint/store.h"

#include <gtest/gtest.h>

#include <thread>

#include "saved_run.h"

namespace pleat::checkpoint {
namespace {

using base::CheckError;
using base::DataError;
using testing::contents;
using testing::error_of;
using testing::put;
using testing::TemporaryFolder;

TEST(Store, AnyCutReadsAnyOther) {
  const TemporaryFolder run;
  for (int shards : {1, 2, 3, 4}) {
    save(run.path(), shards, shards);
    expect_state(checkpoint_path(run.path(), shards), shards);
    const Reader reader(checkpoint_path(run.path(), shards));
    for (int64_t parts : {1, 2, 3, 5})  // by rows, uneven, while the shards are cut by columns
      for (int64_t part = 0; part < parts; ++part) {
        const int64_t first = 6 * part / parts, last = 6 * (part + 1) / parts;
        const Box box{{first, part % 2}, {last - first, 8 - part}};
        if (!inside(box, kMatrix)) continue;
        EXPECT_EQ(read_part(reader, "block.matrix", "m", kMatrix, box), state_part(shards, kMatrix, box));
      }
  }
}

TEST(Store, ShardsFromSeveralThreads) {
  const TemporaryFolder run;
  Writer writer(run.path(), 7, 6);
  {
    std::vector<std::jthread> ranks;
    for (int rank = 0; rank < 6; ++rank)
      ranks.emplace_back([&writer, rank] {
        const Box row{{rank, 0}, {1, 8}};
        std::vector<float> values = state_part(7, kMatrix, row);
        const std::vector<Slice> slices{slice_of("w", "weight", kMatrix, row, values)};
        writer.write_shard(rank, slices);
      });
  }
  writer.commit(1, "");
  const Found found = newest_complete(run.path());
  ASSERT_TRUE(found.checkpoint);
  EXPECT_EQ(read_part(Reader(*found.checkpoint), "w", "weight", kMatrix, whole(kMatrix)),
            state_part(7, kMatrix, whole(kMatrix)));
}

TEST(Store, ReadsAsAnotherFloatingDtypeAndScalars) {
  const TemporaryFolder run;
  std::vector<float> scalar{2.5f};
  const std::vector<Slice> slices{
      {"scale", "value", base::DType::f32, {}, {}, {}, testing::bytes_of(scalar)}};
  Writer writer(run.path(), 0, 1);
  writer.write_shard(0, slices);
  writer.commit(0, "");
  std::vector<double> wide(1);
  Reader(checkpoint_path(run.path(), 0))
      .read({"scale", "value", base::DType::f64, {}, {}, {}, testing::bytes_of(wide)});
  EXPECT_EQ(wide[0], 2.5);
}

TEST(Store, SameStateSameBytes) {
  const TemporaryFolder a, b;
  save(a.path(), 3, 2);
  save(b.path(), 3, 2);
  for (const char* name : {"manifest.json", "shard-0-of-2.safetensors", "shard-1-of-2.safetensors"})
    EXPECT_EQ(contents(checkpoint_path(a.path(), 3) / name), contents(checkpoint_path(b.path(), 3) / name))
        << name;
}

TEST(StoreWriter, RefusesGapsDoubleWritersAndDisagreement) {
  const TemporaryFolder run;
  std::vector<float> values(48);
  const auto commit_error = [&](const std::vector<std::vector<Slice>>& shards) {
    Writer writer(run.path(), 5, static_cast<int>(shards.size()));
    return error_of<CheckError>([&] {
      for (size_t i = 0; i < shards.size(); ++i) writer.write_shard(static_cast<int>(i), shards[i]);
      writer.commit(0, "");
    });
  };
  const auto rows = [&](int64_t first, int64_t count) {
    Slice slice{"w", "weight", base::DType::f32, kMatrix, {first, 0}, {count, 8}, testing::bytes_of(values)};
    slice.data = slice.data.first(static_cast<size_t>(count * 32));
    return slice;
  };
  EXPECT_NE(commit_error({{rows(0, 2)}, {rows(3, 3)}}).find("weight of 'w': no shard has [2:3, 0:8]"),
            std::string::npos);
  EXPECT_NE(commit_error({{rows(0, 4)}, {rows(3, 3)}}).find("two writers"), std::string::npos);
  EXPECT_NE(commit_error({{rows(0, 4), rows(0, 4)}}).find("twice"), std::string::npos);
  Slice other = rows(3, 3);
  other.global = {7, 8};
  EXPECT_NE(commit_error({{rows(0, 3)}, {other}}).find("7x8 in another"), std::string::npos);
  Slice outside = rows(4, 3);
  EXPECT_NE(commit_error({{outside}}).find("does not fit"), std::string::npos);
  Slice short_data = rows(0, 6);
  short_data.data = short_data.data.first(10);
  EXPECT_NE(commit_error({{short_data}}).find("does not fit"), std::string::npos);
  EXPECT_EQ(newest_complete(run.path()).checkpoint, std::nullopt);
  EXPECT_TRUE(step_folders(run.path()).empty());
  EXPECT_NE(error_of<CheckError>([&] {
              Writer writer(run.path(), 5, 2);
              writer.write_shard(0, std::vector<Slice>{rows(0, 6)});
              writer.commit(0, "");
            }).find("shard 1 of 2 was not written"),
            std::string::npos);
}

TEST(StoreReader, NamesWhatIsMissing) {
  const TemporaryFolder run;
  save(run.path(), 2, 2);
  const auto path = checkpoint_path(run.path(), 2);
  {
    const Reader reader(path);
    EXPECT_NE(error_of<DataError>([&] {
                read_part(reader, "other", "weight", kVector, whole(kVector));
              }).find("weight of 'other' is not in this checkpoint"),
              std::string::npos);
    EXPECT_NE(error_of<DataError>([&] {
                read_part(reader, "norm", "weight", {6}, whole({6}));
              }).find("has shape 5, the job wants 6"),
              std::string::npos);
    EXPECT_THROW(read_part(reader, "norm", "weight", kVector, {{3}, {3}}), CheckError);
  }
  // A manifest that forgot a shard: the range that only it had is named.
  Manifest manifest = verify(path);
  manifest.files.erase(manifest.files.begin());
  put(path / "manifest.json", to_text(manifest));
  const Reader reader(path);
  EXPECT_NE(error_of<DataError>([&] {
              read_part(reader, "block.matrix", "m", kMatrix, {{1, 2}, {2, 6}});
            }).find("m of 'block.matrix': no shard has [1:3, 2:4]"),
            std::string::npos);
  EXPECT_EQ(read_part(reader, "block.matrix", "m", kMatrix, {{1, 4}, {2, 3}}),
            state_part(2, kMatrix, {{1, 4}, {2, 3}}));
}

TEST(StoreReader, RefusesAShardWhoseSlicesLie) {
  const TemporaryFolder run;
  std::vector<float> values(5);
  const auto error_with = [&](const std::string& slices) {
    save(run.path(), 2, 1);
    const auto path = checkpoint_path(run.path(), 2);
    Metadata metadata;
    if (!slices.empty()) metadata["slices"] = slices;
    SafetensorsWriter writer(path / "shard-0-of-1.safetensors", {{"k", base::DType::f32, {5}}}, metadata);
    writer.write("k", testing::bytes_of(values));
    writer.commit();
    return error_of<DataError>([&] { Reader reader(path); });
  };
  EXPECT_NE(error_with("").find("no 'slices'"), std::string::npos);
  EXPECT_NE(error_with("[]").find("describes 0 tensors, the file has 1"), std::string::npos);
  EXPECT_NE(error_with("{").find("is not JSON: it breaks off after 1 bytes"), std::string::npos)
      << error_with("{");
  EXPECT_NE(error_with("{]}").find("is not JSON: it is damaged at byte 2 of 3"), std::string::npos)
      << error_with("{]}");
  EXPECT_NE(error_with(R"({"x":{}})").find("no tensor 'x'"), std::string::npos);
  EXPECT_NE(
      error_with(R"({"k":{"name":"norm","role":"v","global":[5],"begin":[0]}})").find("not in the manifest"),
      std::string::npos);
  EXPECT_NE(
      error_with(R"({"k":{"name":"norm","role":"weight","global":[5],"begin":[1]}})").find("does not belong"),
      std::string::npos);
  EXPECT_NE(error_with(R"({"k":{"name":"norm","role":"weight","global":[5],"begin":[9223372036854775807]}})")
                .find("does not belong"),
            std::string::npos);
  EXPECT_NE(
      error_with(R"({"k":{"name":"norm","role":"weight","global":[5],"begin":[0,0,0,0,0]}})").find("5 dims"),
      std::string::npos);
  EXPECT_EQ(error_with(R"({"k":{"name":"norm","role":"weight","global":[5],"begin":[0]}})"), "");
}

}  // namespace
}  // namespace pleat::checkpoint
