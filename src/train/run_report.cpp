// SPDX-License-Identifier: Apache-2.0
#include "train/run_report.h"

#include "base/errors.h"
#include "simulate/simulate.h"
#include "train/measure.h"
#include "train/progress.h"
#include "train/report.h"

namespace pleat::train {
namespace {

std::vector<Fact> facts_of(const config::Job& job, const program::Program& program) {
  const config::ParameterCounts counts = config::parameter_counts(job.model);
  return {{"family", std::string(config::name_of(job.model.family))},
          {"parameters", fmt::format("{} ({} active)", humanise_quantity(static_cast<double>(counts.total)),
                                     humanise_quantity(static_cast<double>(counts.active)))},
          {"layout", fmt::format("{} ({} ranks, {} workers each)", program.layout.name(),
                                 program.layout.world(), program.threads)},
          {"schedule", std::string(config::name_of(job.schedule))},
          {"precision", std::string(config::name_of(job.precision))},
          {"tokens a step", humanise_count(job.train.global_batch * job.train.sequence)},
          {"arena of rank 0", humanise_bytes(program.arena_bytes(program.lists[0]))}};
}

/// The predicted step on this machine, with its timeline.
void predict(const program::Program& program, const Host& host, ReportInput& input) {
  simulate::Options options;
  options.spans_of_all_ranks = true;
  const simulate::Result result =
      simulate::simulate(program, host.target ? host.target() : measure_target(host), options);
  input.predicted_step_seconds = static_cast<double>(result.step_ns) * 1e-9;
  for (const simulate::Span& span : result.spans) {
    const simulate::Label& label = result.labels[static_cast<size_t>(span.label)];
    input.predicted_timeline.push_back({span.rank, std::string(program::name_of(span.queue)), label.name,
                                        label.kind, span.start_ns, span.duration_ns});
  }
}

}  // namespace

void write_run_report(const std::filesystem::path& directory, const config::Job& job,
                      const program::Program& program, const MemoryFigures& memory, const Host& host) {
  ReportInput input;
  input.title = directory.filename().string();
  input.subtitle = fmt::format("{}, {} layers x {}, {}", config::name_of(job.model.family),
                               job.model.num_hidden_layers, job.model.hidden_size, program.layout.name());
  input.metrics = read_metrics(directory / "metrics.jsonl");
  input.facts = facts_of(job, program);
  for (size_t rank = 0; rank < memory.predicted.size(); ++rank) {
    MemoryRow row{static_cast<int32_t>(rank), memory.predicted[rank], memory.touched[rank], {}};
    if (memory.predicted.size() == 1) row.resident_growth = memory.resident_after - memory.resident_before;
    input.memory.push_back(row);
  }
  predict(program, host, input);
  write_report(directory / "report.html", input);
}

}  // namespace pleat::train
