// SPDX-License-Identifier: Apache-2.0
#include "train/weights.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <set>

#include "base/errors.h"
#include "model/families/hugging_face_config.h"
#include "model/families/parameters.h"
#include "train/replace_file.h"

namespace pleat::train {
namespace {

using base::Shape;
using program::Program;
using program::Role;
using program::StateSlot;

struct Held {
  const StateSlot* slot;
  Shape begin, extent;
};

std::vector<Held> held_slots(const Program& program, base::Rank id) {
  std::vector<Held> held;
  for (const StateSlot& slot : program.state)
    if (slot.stage == program.layout.stage_of(id).value)
      held.push_back({&slot, program.layout.local_begin(slot.global, slot.placements, id),
                      program.layout.local_shape(slot.global, slot.placements)});
  return held;
}

/// Of the ranks with equal bytes of a slot one speaks for all: the first along every axis of its mesh over
/// which the parameter is replicated, on the lowest holder.
bool speaks_for(const Program& program, base::Rank id, const StateSlot& slot) {
  if (slot.holders.front() != slot.stage) return false;
  const auto& axes = layout::axes_of(slot.placements.mesh());
  return std::all_of(axes.begin(), axes.end(), [&](layout::Axis axis) {
    return slot.placements[axis] != layout::Placement::replicated() ||
           program.layout.coordinate(id, axis) == 0;
  });
}

void store(std::span<const float> values, base::DType dtype, std::span<std::byte> into) {
  if (dtype == base::DType::f32) {
    std::memcpy(into.data(), values.data(), into.size());
    return;
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const double value = values[i];
    std::memcpy(into.data() + i * sizeof(double), &value, sizeof(double));
  }
}

/// Where a Hugging Face tensor lies within a rank's part: element offset, or -1 when it lies elsewhere. Parts
/// are cut in dim 0 only, and a tensor is never cut.
int64_t offset_in(const Held& held, const model::HuggingFaceTensor& tensor) {
  const int64_t row = tensor.begin[0] - held.begin[0];
  if (row < 0 || row + tensor.extent[0] > held.extent[0]) return -1;
  int64_t offset = row;
  for (int dim = 1; dim < held.extent.dims(); ++dim) offset = offset * held.extent[dim] + tensor.begin[dim];
  return offset;
}

}  // namespace

void initialise(const Program& program, base::Rank id, run::Rank& rank, const config::ModelConfig& model,
                uint64_t seed) {
  std::vector<float> values;
  for (const Held& held : held_slots(program, id)) {
    const std::span<std::byte> bytes = rank.state(*held.slot);
    std::memset(bytes.data(), 0, bytes.size());
    if (held.slot->role != Role::master) continue;
    values.resize(static_cast<size_t>(held.extent.elements()));
    model::initial_values(model, held.slot->name, held.begin, held.extent, seed, values);
    store(values, held.slot->region.type.dtype, bytes);
  }
}

void read_hugging_face(const Program& program, base::Rank id, run::Rank& rank,
                       const config::ModelConfig& model, const checkpoint::SafetensorsFolder& folder) {
  const std::vector<model::HuggingFaceTensor> unfused = model::hugging_face_tensors(model);
  const std::vector<model::HuggingFaceTensor> fused = model::fused_hugging_face_tensors(model);
  for (const Held& held : held_slots(program, id)) {
    const std::span<std::byte> bytes = rank.state(*held.slot);
    std::memset(bytes.data(), 0, bytes.size());
    if (held.slot->role != Role::master) continue;
    const base::DType dtype = held.slot->region.type.dtype;
    const auto read_all = [&](const std::vector<model::HuggingFaceTensor>& tensors) {
      for (const model::HuggingFaceTensor& tensor : tensors) {
        const int64_t offset = tensor.parameter == held.slot->name ? offset_in(held, tensor) : -1;
        if (offset < 0) continue;
        const base::Shape& found = folder.tensor(tensor.name).shape;
        if (!(found == tensor.shape))
          base::fail<base::DataError>("{}: tensor '{}' has shape {}, the config asks for {}",
                                      folder.path().string(), tensor.name, base::to_string(found),
                                      base::to_string(tensor.shape));
        const int64_t size = base::size_of(dtype);
        folder.read(tensor.name, dtype,
                    bytes.subspan(static_cast<size_t>(offset * size),
                                  static_cast<size_t>(tensor.shape.elements() * size)));
      }
    };
    const bool has_fused =
        std::any_of(fused.begin(), fused.end(), [&](const model::HuggingFaceTensor& tensor) {
          return tensor.parameter == held.slot->name && folder.contains(tensor.name);
        });
    read_all(has_fused ? fused : unfused);
  }
}

std::vector<checkpoint::Slice> slices(const Program& program, base::Rank id, run::Rank& rank, bool writing) {
  std::vector<checkpoint::Slice> all;
  for (const Held& held : held_slots(program, id)) {
    if (writing && !speaks_for(program, id, *held.slot)) continue;
    all.push_back({held.slot->name, std::string(program::kRoleNames[static_cast<size_t>(held.slot->role)]),
                   held.slot->region.type.dtype, held.slot->global, held.begin, held.extent,
                   rank.state(*held.slot)});
  }
  return all;
}

namespace {

std::vector<checkpoint::TensorSpec> specs(const config::ModelConfig& model, base::DType dtype) {
  std::vector<checkpoint::TensorSpec> all;
  for (const model::HuggingFaceTensor& tensor : model::hugging_face_tensors(model))
    all.push_back({tensor.name, dtype, tensor.shape});
  return all;
}

std::filesystem::path made(const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory);
  return directory;
}

std::vector<std::byte> converted(std::span<const std::byte> bytes, base::DType from, base::DType to) {
  if (from == to) return {bytes.begin(), bytes.end()};
  const size_t count = bytes.size() / static_cast<size_t>(base::size_of(from));
  std::vector<std::byte> result(count * static_cast<size_t>(base::size_of(to)));
  for (size_t i = 0; i < count; ++i) {
    double value = 0;
    if (from == base::DType::f32) {
      float f;
      std::memcpy(&f, bytes.data() + i * sizeof f, sizeof f);
      value = f;
    } else {
      std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    }
    const float f = static_cast<float>(value);
    const base::bf16 b(f);
    if (to == base::DType::f32) std::memcpy(result.data() + i * sizeof f, &f, sizeof f);
    if (to == base::DType::bf16) std::memcpy(result.data() + i * sizeof b, &b, sizeof b);
  }
  return result;
}

}  // namespace

HuggingFaceExport::HuggingFaceExport(const std::filesystem::path& directory, const config::ModelConfig& model,
                                     base::DType dtype)
    : directory_(made(directory)),
      model_(model),
      dtype_(dtype),
      writer_(directory_ / "model.safetensors", specs(model, dtype)) {}

void HuggingFaceExport::add(const Program& program, base::Rank id, run::Rank& rank) {
  for (const Held& held : held_slots(program, id)) {
    if (held.slot->role != Role::master || !speaks_for(program, id, *held.slot)) continue;
    const base::DType dtype = held.slot->region.type.dtype;
    const std::span<const std::byte> bytes = rank.state(*held.slot);
    for (const model::HuggingFaceTensor& tensor : model::hugging_face_tensors(model_)) {
      const int64_t offset = tensor.parameter == held.slot->name ? offset_in(held, tensor) : -1;
      if (offset < 0) continue;
      const auto part = bytes.subspan(static_cast<size_t>(offset * base::size_of(dtype)),
                                      static_cast<size_t>(tensor.shape.elements() * base::size_of(dtype)));
      Shape zero = tensor.shape;
      for (int dim = 0; dim < zero.dims(); ++dim) zero[dim] = 0;
      writer_.write_slice(tensor.name, {zero, tensor.shape}, converted(part, dtype, dtype_));
    }
  }
}

void HuggingFaceExport::commit() {
  writer_.commit();
  replace_file(directory_ / "config.json",
               model::hugging_face_config(model_, dtype_ == base::DType::bf16 ? "bfloat16" : "float32"));
}

}  // namespace pleat::train
