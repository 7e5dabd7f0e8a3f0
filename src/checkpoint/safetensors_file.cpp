// SPDX-License-Identifier: Apache-2.0
// Reading tensors and slices. Short runs that lie near one another are read together: a slice along the last
// dim would otherwise cost a system call a row.
#include <algorithm>
#include <bit>
#include <cstring>

#include "base/errors.h"
#include "checkpoint/convert.h"
#include "checkpoint/safetensors.h"

namespace pleat::checkpoint {
namespace {

using base::DataError;
using base::fail;

static_assert(std::endian::native == std::endian::little, "safetensors files are little endian");

constexpr int64_t kMaxHeader = 100'000'000;
constexpr int64_t kPiece = int64_t{1} << 20;  // bytes read at once
constexpr int64_t kGap = int64_t{1} << 16;    // bytes worth reading to save a call

Header read_header(const base::InputFile& file) {
  const std::string where = file.path().string();
  if (file.size() < 8) fail<DataError>("{}: {} bytes; a safetensors file has at least 8", where, file.size());
  uint64_t length = 0;
  file.read(0, std::as_writable_bytes(std::span(&length, 1)));
  if (length > static_cast<uint64_t>(kMaxHeader))
    fail<DataError>("{}: a header of {} bytes; at most {} are allowed", where, length, kMaxHeader);
  if (static_cast<int64_t>(length) > file.size() - 8)
    fail<DataError>("{}: a header of {} bytes in a file of {}: truncated or no safetensors file", where,
                    length, file.size());
  std::string json(length, '\0');
  file.read(8, std::as_writable_bytes(std::span(json)));
  return parse_header(json, file.size() - 8 - static_cast<int64_t>(length), where);
}

/// Reads runs of one tensor, joining near ones.
class RunReader {
 public:
  RunReader(const base::InputFile& file, int64_t offset, base::DType from, base::DType to, std::byte* into)
      : file_(file), offset_(offset), from_(from), to_(to), into_(into) {}

  void add(Run run) {
    const int64_t size = base::size_of(from_);
    if (!runs_.empty()) {
      const int64_t end = runs_.back().source + runs_.back().count;
      const bool far = (run.source - end) * size > kGap;
      if (far || (run.source + run.count - runs_.front().source) * size > kPiece) flush();
    }
    for (; run.count * size > kPiece; run = rest(run)) {
      runs_.push_back({run.source, run.target, kPiece / size});
      flush();
    }
    runs_.push_back(run);
  }

  void flush() {
    if (runs_.empty()) return;
    const int64_t size = base::size_of(from_);
    const int64_t first = runs_.front().source;
    const int64_t count = runs_.back().source + runs_.back().count - first;
    if (runs_.size() == 1 && from_ == to_) {
      file_.read(offset_ + first * size,
                 {into_ + runs_.front().target * size, static_cast<size_t>(count * size)});
    } else {
      staging_.resize(static_cast<size_t>(count * size));
      file_.read(offset_ + first * size, staging_);
      for (const Run& run : runs_)
        convert(from_, staging_.data() + (run.source - first) * size, to_,
                into_ + run.target * base::size_of(to_), run.count);
    }
    runs_.clear();
  }

 private:
  Run rest(const Run& run) const {
    const int64_t taken = kPiece / base::size_of(from_);
    return {run.source + taken, run.target + taken, run.count - taken};
  }
  const base::InputFile& file_;
  int64_t offset_;
  base::DType from_, to_;
  std::byte* into_;
  std::vector<Run> runs_;
  std::vector<std::byte> staging_;
};

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : file_(path), header_(read_header(file_)) {}

const TensorInfo* SafetensorsFile::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(header_.tensors, name, {},
                                              [](const TensorInfo& t) { return std::string_view(t.name); });
  return found != header_.tensors.end() && found->name == name ? &*found : nullptr;
}

const TensorInfo& SafetensorsFile::tensor(std::string_view name) const {
  const TensorInfo* found = find(name);
  if (!found) fail<DataError>("{}: has no tensor '{}' among its {}", path().string(), name, tensors().size());
  return *found;
}

void SafetensorsFile::read(const TensorInfo& tensor, base::DType dtype, std::span<std::byte> into) const {
  read_slice(tensor, whole(tensor.shape), dtype, into);
}

void SafetensorsFile::read_slice(const TensorInfo& tensor, const Box& box, base::DType dtype,
                                 std::span<std::byte> into) const {
  read_slice(tensor, box, dtype, {box.extent, whole(box.extent).begin}, into);
}

void SafetensorsFile::read_slice(const TensorInfo& tensor, const Box& box, base::DType dtype,
                                 const Place& target, std::span<std::byte> into) const {
  const auto where = [&] { return fmt::format("{}: tensor '{}'", path().string(), tensor.name); };
  if (!tensor.dtype)
    fail<DataError>("{}: dtype {} is not supported: F32, BF16, F64, I32 and I64 are", where(),
                    tensor.stored_dtype);
  if (!convertible(*tensor.dtype, dtype))
    fail<DataError>("{}: {} cannot be read as {}", where(), tensor.stored_dtype, base::name_of(dtype));
  if (!inside(box, tensor.shape))
    fail<DataError>("{}: the slice {} is not inside shape {}", where(), to_string(box),
                    to_string(tensor.shape));
  const auto bytes = static_cast<size_t>(target.shape.elements() * base::size_of(dtype));
  if (!inside({target.begin, box.extent}, target.shape) || into.size() != bytes)
    fail<base::CheckError>("{}: {} of shape {} takes {} bytes; the buffer has {}", where(),
                           base::name_of(dtype), to_string(target.shape), bytes, into.size());
  RunReader reader(file_, header_.data_offset + tensor.begin, *tensor.dtype, dtype, into.data());
  for_each_run({tensor.shape, box.begin}, target, box.extent, [&](const Run& run) { reader.add(run); });
  reader.flush();
}

}  // namespace pleat::checkpoint
