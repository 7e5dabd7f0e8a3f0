// SPDX-License-Identifier: Apache-2.0
// TensorBoard event files: TFRecord frames with masked CRC-32C around hand-encoded protobuf Events. The five
// message fields used here have been stable since 2015, so a protobuf dependency would cost more than it
// saves.
#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "train/metrics.h"

namespace pleat::train {

/// Castagnoli CRC (reflected polynomial 0x82f63b78), as in iSCSI.
uint32_t crc32c(std::string_view bytes);

/// TFRecord's disguise of a CRC, so that a CRC of data that holds CRCs stays well distributed.
uint32_t masked_crc32c(std::string_view bytes);

/// length (8 bytes, little endian) | masked CRC of the length | data | masked CRC of the data
std::string tfrecord(std::string_view data);

/// Serialised Events. Wall times are seconds since 1970, given by the caller: nothing here reads a clock.
std::string file_version_event(double wall_time);
std::string session_start_event(double wall_time, int64_t step);
using Scalar = std::pair<std::string, double>;  // tag, value (stored as fp32, as the format has it)
std::string scalars_event(double wall_time, int64_t step, std::span<const Scalar> scalars);

/// The scalars of a step: loss, grad_norm, lr, tokens_per_s, router_balance where there is one, auxiliary
/// terms.
std::vector<Scalar> scalars_of(const StepMetrics& metrics);

/// One new file `events.out.tfevents.<time>.<host>.pleat` a run or resumption; flushed after every event.
class EventWriter {
 public:
  /// `resumed_step`: the last step of the checkpoint a run goes on from (0 for its start). TensorBoard then
  /// drops what earlier files of the directory say about later steps.
  EventWriter(const std::filesystem::path& directory, std::string_view host, double wall_time,
              std::optional<int64_t> resumed_step = {});
  void write(const StepMetrics& metrics, double wall_time);
  void write(int64_t step, std::span<const Scalar> scalars, double wall_time);  // e.g. "held_out_loss"
  const std::filesystem::path& path() const { return path_; }

 private:
  void append(const std::string& event);
  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace pleat::train
