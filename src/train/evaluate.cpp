// SPDX-License-Identifier: Apache-2.0
#include "train/evaluate.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "base/errors.h"
#include "data/bytes.h"
#include "data/sampler.h"
#include "kernels/catalogue.h"
#include "model/families/hugging_face_config.h"
#include "run/crew.h"
#include "train/port_values.h"
#include "train/progress.h"
#include "train/request.h"
#include "train/weights.h"

namespace pleat::train {
namespace {

constexpr int64_t kWindowsPerTurn = 8;

/// Consecutive windows in, sums of losses and counted tokens out.
class EvaluationPorts final : public run::Ports {
 public:
  EvaluationPorts(const data::EvaluationWindows& windows, int64_t sequence)
      : windows_(windows), sequence_(sequence), batch_(sequence * kWindowsPerTurn) {}

  void fill(std::string_view port, int64_t turn, int, std::span<std::byte> bytes) override {
    if (turn != loaded_) load(turn);
    copy_sample(batch_, port, bytes);
  }

  void take(std::string_view port, int64_t, int, std::span<const std::byte> bytes) override {
    double value = 0;
    if (port != "metric.loss" && port != "metric.tokens") return;
    std::memcpy(&value, bytes.data(), sizeof value);
    (port == "metric.loss" ? loss : counted) += value;
  }

  double loss = 0, counted = 0;

 private:
  void load(int64_t turn) {
    for (int64_t i = 0; i < kWindowsPerTurn; ++i) {
      const int64_t index = turn * kWindowsPerTurn + i;
      const data::SampleView window = batch_.view(i * sequence_, sequence_);
      windows_.window(std::min(index, windows_.windows() - 1), window);
      if (index >= windows_.windows()) std::ranges::fill(window.weights, 0.0f);
    }
    loaded_ = turn;
  }

  const data::EvaluationWindows& windows_;
  int64_t sequence_;
  data::Sample batch_;
  int64_t loaded_ = -1;
};

}  // namespace

Evaluation evaluate(const EvaluateOptions& options, const Host& host) {
  config::Job job;
  job.model = model::read_hugging_face_config(options.model.string());
  job.precision = options.precision;
  job.train.sequence = window_of(options.sequence, job.model);
  job.train.micro_batch = job.train.global_batch = kWindowsPerTurn;
  const data::TokenFile file(options.data);
  file.check_vocabulary(job.model.vocab_size);
  const data::EvaluationWindows windows(file, {job.train.sequence, 0, false});

  compile::Request request = train_request(job, host.cores);
  request.name = "evaluate";
  request.purpose = compile::Purpose::forward;
  const program::Program program = compile::compile(request);
  const checkpoint::SafetensorsFolder folder(options.model);
  EvaluationPorts* ports = nullptr;
  run::Crew crew(program,
                 [&](base::Rank) {
                   auto made = std::make_unique<EvaluationPorts>(windows, job.train.sequence);
                   ports = made.get();
                   return made;
                 },
                 {});
  crew.each([&](base::Rank id, run::Rank& rank) { read_hugging_face(program, id, rank, job.model, folder); });
  crew.run((windows.windows() + kWindowsPerTurn - 1) / kWindowsPerTurn);

  Evaluation result;
  result.counted = static_cast<int64_t>(ports->counted);
  result.tokens = file.tokens();
  result.loss = ports->loss / ports->counted;
  const double free_bits = std::log2(static_cast<double>(job.model.vocab_size));
  result.bits_per_token =
      (ports->loss / std::numbers::ln2 + free_bits * static_cast<double>(result.tokens - result.counted)) /
      static_cast<double>(result.tokens);
  result.bytes = job.model.vocab_size == data::kByteVocabulary;
  return result;
}

std::string to_text(const Evaluation& evaluation) {
  return fmt::format("{} tokens, {:.4f} nats each of the {} that were predicted, {:.4f} bits per {}\n",
                     humanise_count(evaluation.tokens), evaluation.loss, humanise_count(evaluation.counted),
                     evaluation.bits_per_token, evaluation.bytes ? "byte" : "token");
}

}  // namespace pleat::train
