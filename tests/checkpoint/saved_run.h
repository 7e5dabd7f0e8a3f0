// SPDX-License-Identifier: Apache-2.0
// A small run for the store's tests: its state at a step is a formula, so any reading can be checked.
#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "checkpoint/store.h"
#include "temporary_folder.h"

namespace pleat::checkpoint {

inline const base::Shape kMatrix{6, 8};
inline const base::Shape kVector{5};

/// Element i of a tensor at a step.
inline float state_value(int64_t step, int64_t i) {
  return static_cast<float>(step * 1000 + i);
}

/// The part `box` of a dense tensor of that shape, as floats.
inline std::vector<float> state_part(int64_t step, const base::Shape& shape, const Box& box) {
  std::vector<float> values(static_cast<size_t>(box.extent.elements()));
  for_each_run({shape, box.begin}, {box.extent, whole(box.extent).begin}, box.extent, [&](const Run& run) {
    for (int64_t i = 0; i < run.count; ++i)
      values[static_cast<size_t>(run.target + i)] = state_value(step, run.source + i);
  });
  return values;
}

inline Slice slice_of(const std::string& name, const std::string& role, const base::Shape& shape,
                      const Box& box, std::vector<float>& values) {
  return {name, role, base::DType::f32, shape, box.begin, box.extent, testing::bytes_of(values)};
}

/// Saves in `shards` shards: the matrix cut along its columns, the vector with the last shard.
inline void save(const std::filesystem::path& run, int64_t step, int shards, Writer::Options options = {}) {
  Writer writer(run, step, shards, std::move(options));
  for (int shard = 0; shard < shards; ++shard) {
    const int64_t first = 8 * shard / shards, last = 8 * (shard + 1) / shards;
    const Box columns{{0, first}, {6, last - first}};
    std::vector<float> weight = state_part(step, kMatrix, columns);
    std::vector<float> moment = weight, vector = state_part(step, kVector, whole(kVector));
    std::vector<Slice> slices{slice_of("block.matrix", "weight", kMatrix, columns, weight),
                              slice_of("block.matrix", "m", kMatrix, columns, moment)};
    if (shard == shards - 1) slices.push_back(slice_of("norm", "weight", kVector, whole(kVector), vector));
    writer.write_shard(shard, slices);
  }
  writer.commit(step * 4096, "train:\n  steps: 10\n");
}

inline std::vector<float> read_part(const Reader& reader, const std::string& name, const std::string& role,
                                    const base::Shape& shape, const Box& box) {
  std::vector<float> values(static_cast<size_t>(box.extent.elements()), -1.0f);
  reader.read(slice_of(name, role, shape, box, values));
  return values;
}

/// Every element of a checkpoint is that of its step.
inline void expect_state(const std::filesystem::path& checkpoint, int64_t step) {
  const Reader reader(checkpoint);
  EXPECT_EQ(reader.manifest().step, step);
  EXPECT_EQ(reader.manifest().tokens, step * 4096);
  EXPECT_EQ(reader.manifest().job, "train:\n  steps: 10\n");
  for (const char* role : {"weight", "m"})
    EXPECT_EQ(read_part(reader, "block.matrix", role, kMatrix, whole(kMatrix)),
              state_part(step, kMatrix, whole(kMatrix)));
  EXPECT_EQ(read_part(reader, "norm", "weight", kVector, whole(kVector)),
            state_part(step, kVector, whole(kVector)));
}

}  // namespace pleat::checkpoint
