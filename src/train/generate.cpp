// SPDX-License-Identifier: Apache-2.0
#include "train/generate.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "base/errors.h"
#include "base/philox.h"
#include "model/families/hugging_face_config.h"
#include "run/crew.h"
#include "train/request.h"
#include "train/weights.h"

namespace pleat::train {
namespace {

/// The last tokens of the text, left-aligned; what follows them cannot be seen by causal attention.
class WindowPorts final : public run::Ports {
 public:
  WindowPorts(const std::vector<int32_t>& text, int64_t window, std::vector<float>& logits)
      : text_(text), window_(window), logits_(logits) {}

  void fill(std::string_view port, int64_t, int, std::span<std::byte> bytes) override {
    const int64_t used = std::min<int64_t>(static_cast<int64_t>(text_.size()), window_);
    const auto first = static_cast<int64_t>(text_.size()) - used;
    for (int64_t t = 0; t < window_; ++t) {
      int32_t value = 0;
      if (port == "tokens" && t < used) value = text_[static_cast<size_t>(first + t)];
      if (port == "positions") value = static_cast<int32_t>(t);
      std::memcpy(bytes.data() + t * static_cast<int64_t>(sizeof value), &value, sizeof value);
    }
  }

  /// The row of the last token.
  void take(std::string_view port, int64_t, int, std::span<const std::byte> bytes) override {
    if (port != "logits") return;
    const size_t row = std::min(text_.size(), static_cast<size_t>(window_)) - 1, columns = logits_.size();
    const bool narrow = bytes.size() == static_cast<size_t>(window_) * columns * sizeof(base::bf16);
    for (size_t v = 0; v < columns; ++v) {
      base::bf16 b;
      if (narrow)
        std::memcpy(&b, bytes.data() + (row * columns + v) * sizeof b, sizeof b),
            logits_[v] = static_cast<float>(b);
      else
        std::memcpy(&logits_[v], bytes.data() + (row * columns + v) * sizeof(float), sizeof(float));
    }
  }

 private:
  const std::vector<int32_t>& text_;
  int64_t window_;
  std::vector<float>& logits_;
};

/// Greedy at temperature 0; else a draw among the most likely tokens that together have probability top_p
/// (Holtzman et al. 2020).
int32_t choose(const std::vector<float>& logits, const GenerateOptions& options, double uniform) {
  std::vector<int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return logits[a] > logits[b]; });
  if (options.temperature == 0) return order[0];
  std::vector<double> weights;
  for (int32_t v : order) weights.push_back(std::exp((logits[v] - logits[order[0]]) / options.temperature));
  const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
  double kept = 0;
  size_t count = 0;
  while (count < weights.size() && (count == 0 || kept < options.top_p * all)) kept += weights[count++];
  double at = uniform * kept;
  for (size_t i = 0; i < count; ++i)
    if ((at -= weights[i]) <= 0) return order[i];
  return order[count - 1];
}

void check(const GenerateOptions& options, const config::ModelConfig& model) {
  if (model.vocab_size != 256)
    base::fail<base::JobError>(
        "the model's vocabulary is {}: generate speaks bytes only, a vocabulary of 256", model.vocab_size);
  if (options.prompt.empty()) base::fail<base::JobError>("the prompt is empty: give at least one byte");
  if (options.temperature < 0)
    base::fail<base::JobError>("temperature {}: choose 0 (greedy) or more", options.temperature);
  if (!(options.top_p > 0 && options.top_p <= 1))
    base::fail<base::JobError>("top-p {}: choose a number in (0, 1]", options.top_p);
}

}  // namespace

std::string generate(const GenerateOptions& options, const Host& host,
                     const std::function<void(char)>& token) {
  config::Job job;
  job.model = model::read_hugging_face_config(options.model.string());
  check(options, job.model);
  job.precision = options.precision;
  job.train.sequence =
      options.window > 0 ? options.window : std::min<int64_t>(job.model.max_position_embeddings, 256);
  job.train.micro_batch = job.train.global_batch = 1;
  compile::Request request = train_request(job, host.cores);
  request.name = "generate";
  request.purpose = compile::Purpose::generate;
  request.emit = {"logits"};
  const program::Program program = compile::compile(request);
  std::vector<int32_t> text;
  for (char c : options.prompt) text.push_back(static_cast<unsigned char>(c));
  std::vector<float> logits(static_cast<size_t>(job.model.vocab_size));
  run::Crew crew(program,
                 [&](base::Rank) { return std::make_unique<WindowPorts>(text, job.train.sequence, logits); },
                 {});
  const checkpoint::SafetensorsFolder folder(options.model);
  crew.each([&](base::Rank id, run::Rank& rank) { read_hugging_face(program, id, rank, job.model, folder); });
  const base::RandomStream random(options.seed, "generate", "token");
  std::string written;
  for (int64_t i = 0; i < options.tokens; ++i) {
    crew.run(1);
    const int32_t next = choose(logits, options, random.uniform(static_cast<uint64_t>(i)));
    text.push_back(next);
    written.push_back(static_cast<char>(next));
    token(written.back());
  }
  return written;
}

}  // namespace pleat::train
