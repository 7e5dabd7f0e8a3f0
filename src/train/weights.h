// SPDX-License-Identifier: Apache-2.0
// Between a rank's state section and the world outside: initial values, Hugging Face folders, checkpoints.
// Everything is addressed by logical name and global slice, so no layout shows in a file.
#pragma once
#include <filesystem>
#include <vector>

#include "checkpoint/store.h"
#include "config/model_config.h"
#include "run/run.h"

namespace pleat::train {

/// Masters from the seed, moments zero.
void initialise(const program::Program& program, base::Rank id, run::Rank& rank,
                const config::ModelConfig& model, uint64_t seed);

/// Masters from a Hugging Face folder, moments zero. DataError naming a tensor that is missing or has another
/// shape.
void read_hugging_face(const program::Program& program, base::Rank id, run::Rank& rank,
                       const config::ModelConfig& model, const checkpoint::SafetensorsFolder& folder);

/// The slots of this rank as slices of the global tensors. `writing`: only those that this rank writes (the
/// lowest holder, the first of the data-parallel copies), so that every element is written once.
std::vector<checkpoint::Slice> slices(const program::Program& program, base::Rank id, run::Rank& rank,
                                      bool writing);

/// Writes config.json and model.safetensors (masters as `dtype`) to `directory` from a crew's ranks:
/// construct once, add from every rank, commit.
class HuggingFaceExport {
 public:
  HuggingFaceExport(const std::filesystem::path& directory, const config::ModelConfig& model,
                    base::DType dtype);
  /// Safe from several threads.
  void add(const program::Program& program, base::Rank id, run::Rank& rank);
  void commit();

 private:
  std::filesystem::path directory_;
  config::ModelConfig model_;
  base::DType dtype_;
  checkpoint::SafetensorsWriter writer_;
};

}  // namespace pleat::train
