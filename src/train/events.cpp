// SPDX-License-Identifier: Apache-2.0
// The bytes of TensorBoard's event files. Field numbers are those of
// tensorboard/compat/proto/{event,summary}.proto.
#include "train/events.h"

#include <array>
#include <bit>

#include "base/errors.h"

namespace pleat::train {

using base::DataError;
using base::fail;

namespace {

constexpr std::array<uint32_t, 256> make_crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0x82f63b78u : 0u);
    table[byte] = crc;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kCrcTable = make_crc_table();

template <class Unsigned>
void append_little_endian(std::string& out, Unsigned value) {
  for (size_t i = 0; i < sizeof(Unsigned); ++i) out += static_cast<char>((value >> (8 * i)) & 0xffu);
}

void append_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7fu) | 0x80u);
  out += static_cast<char>(value);
}

enum class Wire : uint32_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

void append_key(std::string& out, uint32_t field, Wire wire) {
  append_varint(out, uint64_t{field} << 3 | static_cast<uint32_t>(wire));
}

void append_bytes(std::string& out, uint32_t field, std::string_view bytes) {
  append_key(out, field, Wire::bytes);
  append_varint(out, bytes.size());
  out += bytes;
}

/// Event: wall_time = 1, step = 2; what happened follows as file_version = 3, summary = 5 or session_log = 7.
std::string event(double wall_time, int64_t step, uint32_t field, std::string_view what) {
  std::string out;
  append_key(out, 1, Wire::fixed64);
  append_little_endian(out, std::bit_cast<uint64_t>(wall_time));
  append_key(out, 2, Wire::varint);
  append_varint(out, static_cast<uint64_t>(step));
  append_bytes(out, field, what);
  return out;
}

/// TensorBoard reads a directory's files in the order of their names, so that a later file of the same second
/// needs a later name.
std::filesystem::path unused_name(const std::filesystem::path& directory, std::string_view host,
                                  double wall_time) {
  std::string name =
      fmt::format("events.out.tfevents.{:010d}.{}.pleat", static_cast<int64_t>(wall_time), host);
  for (char& c : name)
    if (c == '/') c = '_';
  std::filesystem::path path = directory / name;
  for (int twin = 1; std::filesystem::exists(path); ++twin)
    path = directory / fmt::format("{}.{:03d}", name, twin);
  return path;
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  uint32_t crc = 0xffffffffu;
  for (const char byte : bytes) crc = (crc >> 8) ^ kCrcTable[(crc ^ static_cast<uint8_t>(byte)) & 0xffu];
  return ~crc;
}

uint32_t masked_crc32c(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xa282ead8u;
}

std::string tfrecord(std::string_view data) {
  std::string out;
  append_little_endian(out, uint64_t{data.size()});
  append_little_endian(out, masked_crc32c(out));
  out += data;
  append_little_endian(out, masked_crc32c(data));
  return out;
}

std::string file_version_event(double wall_time) {
  return event(wall_time, 0, 3, "brain.Event:2");
}

std::string session_start_event(double wall_time, int64_t step) {
  std::string session_log;
  append_key(session_log, 1, Wire::varint);  // SessionLog.status = START
  append_varint(session_log, 1);
  return event(wall_time, step, 7, session_log);
}

std::string scalars_event(double wall_time, int64_t step, std::span<const Scalar> scalars) {
  std::string summary;
  for (const auto& [tag, value] : scalars) {
    std::string entry;
    append_bytes(entry, 1, tag);
    append_key(entry, 2, Wire::fixed32);  // Summary.Value.simple_value
    append_little_endian(entry, std::bit_cast<uint32_t>(static_cast<float>(value)));
    append_bytes(summary, 1, entry);
  }
  return event(wall_time, step, 5, summary);
}

std::vector<Scalar> scalars_of(const StepMetrics& metrics) {
  std::vector<Scalar> scalars{{"loss", metrics.loss},
                              {"grad_norm", metrics.grad_norm},
                              {"lr", metrics.lr},
                              {"tokens_per_s", metrics.tokens_per_s}};
  if (metrics.balance) scalars.emplace_back("router_balance", *metrics.balance);
  scalars.insert(scalars.end(), metrics.auxiliary.begin(), metrics.auxiliary.end());
  return scalars;
}

EventWriter::EventWriter(const std::filesystem::path& directory, std::string_view host, double wall_time,
                         std::optional<int64_t> resumed_step)
    : path_(unused_name(directory, host, wall_time)), file_(path_, std::ios::binary) {
  if (!file_) fail<DataError>("{}: cannot be created; is the directory there and writable?", path_.string());
  append(file_version_event(wall_time));
  // A START at step s drops what was recorded at s and later: the checkpoint's own step stays.
  if (resumed_step) append(session_start_event(wall_time, *resumed_step + 1));
}

void EventWriter::write(const StepMetrics& metrics, double wall_time) {
  write(metrics.step, scalars_of(metrics), wall_time);
}

void EventWriter::write(int64_t step, std::span<const Scalar> scalars, double wall_time) {
  append(scalars_event(wall_time, step, scalars));
}

void EventWriter::append(const std::string& event) {
  file_ << tfrecord(event) << std::flush;
  if (!file_) fail<DataError>("{}: an event cannot be written; is the disk full?", path_.string());
}

}  // namespace pleat::train
