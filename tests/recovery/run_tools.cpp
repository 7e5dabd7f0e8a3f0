// SPDX-License-Identifier: Apache-2.0
#include "run_tools.h"

#include <fmt/format.h>

#include <chrono>
#include <cstring>

#include "checkpoint/safetensors.h"
#include "checkpoint/store.h"

namespace pleat::testing {
namespace {

using ::testing::AssertionFailure;
using ::testing::AssertionResult;
using ::testing::AssertionSuccess;
namespace fs = std::filesystem;

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Every tensor of the newest complete checkpoint, whole, by role and name.
std::map<std::string, std::vector<std::byte>> checkpoint_state(const fs::path& run, int64_t& step) {
  std::map<std::string, std::vector<std::byte>> state;
  const checkpoint::Found found = checkpoint::newest_complete(run);
  step = -1;
  if (!found.checkpoint) return state;
  const checkpoint::Reader reader(*found.checkpoint);
  step = reader.manifest().step;
  for (const checkpoint::TensorRecord& tensor : reader.manifest().tensors) {
    std::vector<std::byte>& bytes = state[tensor.role + " " + tensor.name];
    bytes.resize(static_cast<size_t>(tensor.global.elements() * base::size_of(tensor.dtype)));
    base::Shape begin = tensor.global;
    for (int dim = 0; dim < begin.dims(); ++dim) begin[dim] = 0;
    reader.read({tensor.name, tensor.role, tensor.dtype, tensor.global, begin, tensor.global, bytes});
  }
  return state;
}

AssertionResult same_metrics(const fs::path& got, const fs::path& want) {
  const auto a = without_times(train::read_metrics(got / "metrics.jsonl"));
  const auto b = without_times(train::read_metrics(want / "metrics.jsonl"));
  if (a.size() != b.size())
    return AssertionFailure() << a.size() << " steps in metrics.jsonl, expected " << b.size();
  for (size_t i = 0; i < a.size(); ++i)
    if (train::to_json_line(a[i]) != train::to_json_line(b[i]))
      return AssertionFailure() << train::to_json_line(a[i]) << "\nis not\n" << train::to_json_line(b[i]);
  return AssertionSuccess();
}

}  // namespace

train::Host quiet_host(std::string* said) {
  train::Host host;
  host.clock = seconds;
  host.wall = seconds;
  host.resident_bytes = [] { return int64_t{0}; };
  host.say = [said](std::string_view text) {
    if (said != nullptr) said->append(text);
  };
  host.cores = 2;
  host.target = [] { return target::Target{}; };  // measuring one takes longer than the run
  return host;
}

config::Job TinyRuns::job(const std::string& run_name, std::vector<std::string> overrides,
                          TinyModel model) const {
  std::vector<std::string> all{"run.directory=" + run(run_name).string(), "checkpoint.every=2"};
  const bool lays_out = std::any_of(overrides.begin(), overrides.end(),
                                    [](const std::string& o) { return o.starts_with("layout."); });
  if (!lays_out) all.insert(all.end(), {"layout.pp=2", "layout.dp=2", "layout.ep=2"});
  all.insert(all.end(), overrides.begin(), overrides.end());
  return tiny_job(model, tokens(), all);
}

std::string train_quietly(const config::Job& job, const train::TrainOptions& options) {
  std::string said;
  train::train(job, options, quiet_host(&said));
  return said;
}

std::string resume_quietly(const config::Job& job, train::TrainOptions options) {
  options.resume = job.run.directory;
  return train_quietly(job, options);
}

std::vector<train::StepMetrics> without_times(std::vector<train::StepMetrics> metrics) {
  for (train::StepMetrics& m : metrics) m.seconds = m.tokens_per_s = 0;
  return metrics;
}

AssertionResult same_runs(const fs::path& got, const fs::path& want) {
  if (AssertionResult r = same_metrics(got, want); !r) return r;
  int64_t step = 0, wanted_step = 0;
  const auto a = checkpoint_state(got, step), b = checkpoint_state(want, wanted_step);
  if (step != wanted_step)
    return AssertionFailure() << "newest checkpoint of step " << step << ", not " << wanted_step;
  if (a.size() != b.size())
    return AssertionFailure() << a.size() << " tensors in the checkpoint, not " << b.size();
  for (const auto& [name, bytes] : b)
    if (!a.contains(name) || a.at(name) != bytes)
      return AssertionFailure() << name << " differs at step " << step;
  if (contents(got / "final" / "model.safetensors") != contents(want / "final" / "model.safetensors"))
    return AssertionFailure() << "final/model.safetensors differs";
  return AssertionSuccess();
}

std::map<std::string, std::vector<float>> final_weights(const fs::path& run) {
  std::map<std::string, std::vector<float>> weights;
  const checkpoint::SafetensorsFolder folder(run / "final");
  for (const std::string& name : folder.names()) {
    std::vector<float>& values = weights[name];
    values.resize(static_cast<size_t>(folder.tensor(name).shape.elements()));
    folder.read(name, base::DType::f32, bytes_of(values));
  }
  return weights;
}

}  // namespace pleat::testing
