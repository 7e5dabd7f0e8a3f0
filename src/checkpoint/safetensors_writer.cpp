// SPDX-License-Identifier: Apache-2.0
// Writing: the header first, since every shape is known; then slices in any order, each remembered so that
// none is written twice and none is forgotten.
#include <algorithm>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "checkpoint/checksum.h"
#include "checkpoint/safetensors.h"

namespace pleat::checkpoint {
namespace {

using base::CheckError;
using base::fail;

std::string_view stored_name(base::DType dtype) {
  switch (dtype) {
    case base::DType::f32:
      return "F32";
    case base::DType::bf16:
      return "BF16";
    case base::DType::f64:
      return "F64";
    case base::DType::i32:
      return "I32";
    case base::DType::i64:
      return "I64";
  }
  return "";
}

int64_t bytes_of(const TensorSpec& tensor) {
  const auto elements = checked_elements(std::span(tensor.shape.begin(), tensor.shape.end()));
  if (!elements || *elements > (int64_t{1} << 59))
    fail<CheckError>("tensor '{}' of shape {} cannot be written", tensor.name, base::to_string(tensor.shape));
  return *elements * base::size_of(tensor.dtype);
}

/// A string as JSON; names come from model files and must be UTF-8.
std::string quoted(const std::string& text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    fail<CheckError>("a tensor name or a text of the metadata is not UTF-8");
  }
}

/// Length and JSON. Put together by hand: an ordered JSON object takes quadratic time, and models have many
/// tensors.
std::string header_text(std::span<const TensorSpec> tensors, Metadata metadata) {
  metadata.emplace("format", "pt");
  std::string text = "{\"__metadata__\":{";
  for (const auto& [key, value] : metadata)
    text += fmt::format("{}{}:{}", text.back() == '{' ? "" : ",", quoted(key), quoted(value));
  text += '}';
  int64_t at = 0;
  for (const TensorSpec& tensor : tensors) {
    const int64_t end = at + bytes_of(tensor);
    text += fmt::format(R"(,{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", quoted(tensor.name),
                        stored_name(tensor.dtype), fmt::join(tensor.shape, ","), at, end);
    at = end;
  }
  text += '}';
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text;
}

}  // namespace

struct SafetensorsWriter::State {
  struct Entry {
    const TensorSpec* tensor;
    int64_t offset;
    std::vector<Box> written = {};
  };
  base::OutputFile file;
  std::vector<TensorSpec> order;
  std::map<std::string, Entry, std::less<>> entries = {};
  std::mutex mutex = {};
  Checksum checksum = {};
  int64_t hashed = 0;  // bytes from the start that the checksum has seen
  int64_t size = 0;

  void put(int64_t offset, std::span<const std::byte> bytes) {
    file.write(offset, bytes);
    const std::lock_guard lock(mutex);
    if (offset != hashed) return;
    checksum.add(bytes);
    hashed += static_cast<int64_t>(bytes.size());
  }
};

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path, std::vector<TensorSpec> tensors,
                                     Metadata metadata, base::FaultPoint fault)
    : state_(new State{base::OutputFile(path, std::move(fault)), std::move(tensors)}) {
  std::vector<TensorSpec>& order = state_->order;
  std::ranges::sort(order, [](const TensorSpec& a, const TensorSpec& b) {
    const int64_t wide_a = base::size_of(a.dtype), wide_b = base::size_of(b.dtype);
    return wide_a != wide_b ? wide_a > wide_b : a.name < b.name;
  });
  const std::string text = header_text(order, std::move(metadata));
  int64_t at = static_cast<int64_t>(text.size());
  for (const TensorSpec& tensor : order) {
    if (tensor.name == "__metadata__" ||
        !state_->entries.emplace(tensor.name, State::Entry{&tensor, at}).second)
      fail<CheckError>("tensor '{}' is to be written twice, or its name is reserved", tensor.name);
    at += bytes_of(tensor);
  }
  state_->size = at;
  state_->put(0, std::as_bytes(std::span(text)));
}

SafetensorsWriter::~SafetensorsWriter() = default;

std::span<const TensorSpec> SafetensorsWriter::order() const {
  return state_->order;
}

void SafetensorsWriter::write(std::string_view name, std::span<const std::byte> bytes) {
  const auto found = state_->entries.find(name);
  if (found == state_->entries.end()) fail<CheckError>("tensor '{}' was not announced", name);
  write_slice(name, whole(found->second.tensor->shape), bytes);
}

void SafetensorsWriter::write_slice(std::string_view name, const Box& box, std::span<const std::byte> bytes) {
  const auto found = state_->entries.find(name);
  if (found == state_->entries.end()) fail<CheckError>("tensor '{}' was not announced", name);
  State::Entry& entry = found->second;
  const TensorSpec& tensor = *entry.tensor;
  const int64_t size = base::size_of(tensor.dtype);
  if (!inside(box, tensor.shape) || static_cast<int64_t>(bytes.size()) != box.extent.elements() * size)
    fail<CheckError>("tensor '{}' of shape {}: the slice {} with {} bytes does not fit", name,
                     to_string(tensor.shape), to_string(box), bytes.size());
  {
    const std::lock_guard lock(state_->mutex);
    for (const Box& earlier : entry.written)
      if (intersection(earlier, box))
        fail<CheckError>("tensor '{}': the slice {} overlaps {}, written before", name, to_string(box),
                         to_string(earlier));
    entry.written.push_back(box);
  }
  for_each_run(
      {box.extent, whole(box.extent).begin}, {tensor.shape, box.begin}, box.extent, [&](const Run& run) {
        state_->put(entry.offset + run.target * size, bytes.subspan(static_cast<size_t>(run.source * size),
                                                                    static_cast<size_t>(run.count * size)));
      });
}

void SafetensorsWriter::commit() {
  for (const auto& [name, entry] : state_->entries) {
    const std::vector<Box> missing = uncovered(whole(entry.tensor->shape), entry.written);
    if (!missing.empty())
      fail<CheckError>("{}: tensor '{}' is not completely written: {} is missing",
                       state_->file.path().string(), name, to_string(missing.front()));
  }
  state_->file.commit();
}

uint64_t SafetensorsWriter::checksum() const {
  if (state_->hashed == state_->size) return state_->checksum.value();
  return checksum_of(base::InputFile(state_->file.path()));
}

}  // namespace pleat::checkpoint
