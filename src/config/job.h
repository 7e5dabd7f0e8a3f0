// SPDX-License-Identifier: Apache-2.0
// A job: everything one training run is made of, as a value. Reading is strict (config/parse.cpp), printing
// canonical and the exact inverse of reading; one table of keys (config/keys.cpp) drives both. Layout facts
// that need more than the job are checked where the Layout is made; where() lets those errors name the line.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "config/model_config.h"

namespace pleat::config {

enum class Executor : uint8_t { queues, inline_ };
inline constexpr std::array<std::string_view, 2> kExecutorNames{"queues", "inline"};
enum class Precision : uint8_t { fp32, bf16, fp64 };
inline constexpr std::array<std::string_view, 3> kPrecisionNames{"fp32", "bf16", "fp64"};
enum class Schedule : uint8_t { gpipe, one_f_one_b };
inline constexpr std::array<std::string_view, 2> kScheduleNames{"gpipe", "1f1b"};
enum class Decay : uint8_t { cosine, wsd, constant };
inline constexpr std::array<std::string_view, 3> kDecayNames{"cosine", "wsd", "constant"};
enum class GuardPolicy : uint8_t { stop, skip };
inline constexpr std::array<std::string_view, 2> kGuardPolicyNames{"stop", "skip"};
constexpr std::string_view name_of(Executor value) {
  return kExecutorNames[static_cast<size_t>(value)];
}
constexpr std::string_view name_of(Precision value) {
  return kPrecisionNames[static_cast<size_t>(value)];
}
constexpr std::string_view name_of(Schedule value) {
  return kScheduleNames[static_cast<size_t>(value)];
}
constexpr std::string_view name_of(Decay value) {
  return kDecayNames[static_cast<size_t>(value)];
}
constexpr std::string_view name_of(GuardPolicy value) {
  return kGuardPolicyNames[static_cast<size_t>(value)];
}

struct RunSettings {
  std::string directory;
  int64_t threads = 0;  // per rank; 0: max(1, cores / ranks), decided where the target is known
  Executor executor = Executor::queues;
  bool operator==(const RunSettings&) const = default;
};

struct TrainSettings {
  int64_t steps = 0;
  int64_t global_batch = 0;  // samples per step
  int64_t micro_batch = 1;   // samples per micro-batch
  int64_t sequence = 0;      // tokens per sample
  int64_t seed = 0;
  bool operator==(const TrainSettings&) const = default;
};

struct LayoutSettings {
  int64_t tp = 1, cp = 1, dp = 1, pp = 1, vpp = 1, ep = 1, etp = 1;
  bool operator==(const LayoutSettings&) const = default;
};

struct CheckpointSettings {
  int64_t every = 0;  // steps; 0: only the final one
  int64_t keep = 2;
  bool operator==(const CheckpointSettings&) const = default;
};

struct DataSettings {
  std::string train;                // prefix of a .bin/.idx pair
  std::string held_out;             // the same, for the end of the run; empty: none
  bool separate_documents = false;  // attention and positions restart at document boundaries
  bool operator==(const DataSettings&) const = default;
};

struct OptimizerSettings {
  double learning_rate = 3e-4;
  double beta1 = 0.9, beta2 = 0.95, eps = 1e-8, weight_decay = 0.1;
  double clip = 1.0;  // global norm; 0: no clipping
  int64_t warmup_steps = 0;
  Decay decay = Decay::cosine;
  int64_t decay_steps = 0;  // 0 becomes, when parsed, cosine: all after the warm-up; wsd: the last fifth
  double min_ratio = 0.1;   // of learning_rate, where the decay ends
  bool operator==(const OptimizerSettings&) const = default;
};

/// Key -> where it was written. No part of a job's value: two jobs that say the same are equal.
struct Positions {
  std::map<std::string, std::string, std::less<>> places;  // "train.steps" -> "job.yaml:3" or "command line"
  bool operator==(const Positions&) const { return true; }
};

struct Job {
  RunSettings run;
  TrainSettings train;
  Precision precision = Precision::fp32;
  LayoutSettings layout;
  Schedule schedule = Schedule::one_f_one_b;
  CheckpointSettings checkpoint;
  DataSettings data;
  OptimizerSettings optimizer;
  GuardPolicy guard = GuardPolicy::stop;
  std::string model_directory;  // key model.directory: initial weights; empty: from the seed
  ModelConfig model;            // family unset: to be read from model_directory's config.json
  Positions positions;
  bool operator==(const Job&) const = default;

  /// "job.yaml:14", "command line", or "by default" for a key nobody wrote.
  std::string where(std::string_view key) const;
  int64_t micro_batches() const {
    return train.global_batch / (train.micro_batch * layout.dp);
  }  // per rank and step
};

/// `overrides` are `key.path=value`, checked as the file's own entries are and winning over them.
/// Throws JobError beginning with file:line (or "command line").
Job parse_job(std::string_view text, std::string_view file, std::span<const std::string> overrides = {});
/// Reads the file, then parse_job. Throws JobError when it cannot be read.
Job read_job(const std::string& path, std::span<const std::string> overrides = {});
/// Every key with its value, in the table's order: parse_job(print_job(job), ...) == job.
std::string print_job(const Job& job);
/// The checks of parse_job, for a job built or changed in code (after model.directory was resolved).
void check_job(const Job& job);

/// The rate of a step, 1-based: linear warm-up, then the decay.
double learning_rate(const OptimizerSettings& optimizer, int64_t steps, int64_t step);

/// One line of help per key, generated from the same table: "train.steps  integer  optimizer steps in all".
std::string describe_keys();

}  // namespace pleat::config
