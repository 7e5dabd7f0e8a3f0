// SPDX-License-Identifier: Apache-2.0
#include "train/run_profile.h"

#include <algorithm>
#include <numeric>

#include "base/errors.h"
#include "train/prediction.h"
#include "train/profile.h"
#include "train/progress.h"
#include "train/replace_file.h"

namespace pleat::train {
namespace {

int64_t sum(const std::vector<int64_t>& bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), int64_t{0});
}

std::vector<Fact> facts_of(const config::Job& job, const program::Program& program, const Host& host) {
  const config::ParameterCounts counts = config::parameter_counts(job.model);
  return {{"family", std::string(config::name_of(job.model.family))},
          {"parameters", fmt::format("{} ({} active)", humanise_quantity(static_cast<double>(counts.total)),
                                     humanise_quantity(static_cast<double>(counts.active)))},
          {"layout", fmt::format("{} ({} ranks, {} workers each)", program.layout.name(),
                                 program.layout.world(), program.threads)},
          {"schedule", std::string(config::name_of(job.schedule))},
          {"precision", std::string(config::name_of(job.precision))},
          {"tokens a step", humanise_count(job.train.global_batch * job.train.sequence)},
          {"arena of rank 0", humanise_bytes(program.arena_bytes(program.lists[0]))},
          {"allowed to libraries", humanise_bytes(program.allowance) + " a rank"},
          {"machine", fmt::format("{}, {} cores", host.name, host.cores)}};
}

std::vector<MemoryRow> memory_rows(const MemoryFigures& memory) {
  std::vector<MemoryRow> rows;
  for (size_t rank = 0; rank < memory.predicted.size(); ++rank)
    rows.push_back({static_cast<int32_t>(rank), memory.predicted[rank], memory.touched[rank], {}});
  const int64_t growth = memory.resident_after - memory.resident_before;
  if (!rows.empty()) rows.push_back({{}, sum(memory.predicted), sum(memory.touched), growth});
  return rows;
}

}  // namespace

std::string memory_line(const MemoryFigures& memory) {
  const size_t ranks = memory.predicted.size();
  const auto most = [](const std::vector<int64_t>& bytes) {
    return humanise_bytes(*std::max_element(bytes.begin(), bytes.end()));
  };
  std::string line =
      fmt::format("memory: {} predicted, {} touched", most(memory.predicted), most(memory.touched));
  if (ranks > 1)
    line += fmt::format(" on the rank that needs most, {} and {} on all {}",
                        humanise_bytes(sum(memory.predicted)), humanise_bytes(sum(memory.touched)), ranks);
  return line + fmt::format("; the process grew by {}",
                            humanise_bytes(memory.resident_after - memory.resident_before));
}

std::string write_run_profile(const std::filesystem::path& directory, const config::Job& job,
                              const program::Program& program, const MemoryFigures& memory,
                              const Recorder& recorder, int64_t first, const Host& host) {
  ReportInput input;
  input.subtitle = fmt::format("{}, {} layers x {}, {}", config::name_of(job.model.family),
                               job.model.num_hidden_layers, job.model.hidden_size, program.layout.name());
  input.facts = facts_of(job, program, host);
  input.memory = memory_rows(memory);
  input.metrics = read_metrics(directory / "metrics.jsonl");
  measure_step(first, input);
  predict_step(job, program, recorder, host, input);
  replace_file(directory / kProfileFile, profile_text(input));
  return comparison_line(input);
}

}  // namespace pleat::train
