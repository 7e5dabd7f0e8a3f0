// SPDX-License-Identifier: Apache-2.0
#include "train/generate.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/errors.h"
#include "base/philox.h"
#include "model/families/hugging_face_config.h"
#include "run/crew.h"
#include "train/port_values.h"
#include "train/request.h"
#include "train/weights.h"

namespace pleat::train {
namespace {

/// The last tokens of the text, left-aligned; what follows them cannot be seen by causal attention.
class WindowPorts final : public run::Ports {
 public:
  WindowPorts(const program::Program& program, const std::vector<int32_t>& text, std::vector<float>& logits)
      : window_(program.tokens),
        sample_(window_),
        dtype_(port_named(program, "logits", base::Stage(0)).region.type.dtype),
        text_(text),
        logits_(logits) {}

  void fill(std::string_view port, int64_t, int, std::span<std::byte> bytes) override {
    const int64_t used = std::min<int64_t>(static_cast<int64_t>(text_.size()), window_);
    const auto first = static_cast<int64_t>(text_.size()) - used;
    std::copy(text_.begin() + first, text_.end(), sample_.tokens.begin());
    std::iota(sample_.positions.begin(), sample_.positions.end(), 0);
    copy_sample(sample_, port, bytes);
  }

  /// The row of the last token.
  void take(std::string_view port, int64_t, int, std::span<const std::byte> bytes) override {
    if (port != "logits") return;
    const size_t row = std::min(text_.size(), static_cast<size_t>(window_)) - 1;
    const size_t row_bytes = bytes.size() / static_cast<size_t>(window_);
    const std::vector<double> values = as_doubles(bytes.subspan(row * row_bytes, row_bytes), dtype_);
    std::transform(values.begin(), values.end(), logits_.begin(),
                   [](double value) { return static_cast<float>(value); });
  }

 private:
  int64_t window_;
  data::Sample sample_;
  base::DType dtype_;
  const std::vector<int32_t>& text_;
  std::vector<float>& logits_;
};

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

config::Job job_of(const GenerateOptions& options) {
  config::Job job;
  job.model = model::read_hugging_face_config(options.model.string());
  check(options, job.model);
  job.precision = options.precision;
  job.train.sequence = window_of(options.window, job.model);
  job.train.micro_batch = job.train.global_batch = 1;
  return job;
}

program::Program compile_window(const config::Job& job, int cores) {
  compile::Request request = train_request(job, cores);
  request.name = "generate";
  request.purpose = compile::Purpose::generate;
  request.emit = {"logits"};
  return compile::compile(request);
}

/// A text that grows, and the model that reads its end.
class Reader {
 public:
  Reader(const GenerateOptions& options, const Host& host)
      : job_(job_of(options)),
        program_(compile_window(job_, host.cores)),
        logits_(static_cast<size_t>(job_.model.vocab_size)),
        crew_(program_,
              [this](base::Rank) { return std::make_unique<WindowPorts>(program_, text_, logits_); }, {}) {
    for (char c : options.prompt) text_.push_back(static_cast<unsigned char>(c));
    const checkpoint::SafetensorsFolder folder(options.model);
    crew_.each(
        [&](base::Rank id, run::Rank& rank) { read_hugging_face(program_, id, rank, job_.model, folder); });
  }

  /// Of the token that comes next.
  const std::vector<float>& logits() {
    crew_.run(1);
    return logits_;
  }
  void append(int32_t token) { text_.push_back(token); }

 private:
  config::Job job_;
  program::Program program_;
  std::vector<int32_t> text_;
  std::vector<float> logits_;
  run::Crew crew_;
};

}  // namespace

int32_t choose_token(std::span<const float> logits, const GenerateOptions& options, double uniform) {
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

std::vector<float> next_logits(const GenerateOptions& options, const Host& host) {
  return Reader(options, host).logits();
}

std::string generate(const GenerateOptions& options, const Host& host,
                     const std::function<void(char)>& token) {
  Reader reader(options, host);
  const base::RandomStream random(options.seed, "generate", "token");
  std::string written;
  for (int64_t i = 0; i < options.tokens; ++i) {
    const int32_t next = choose_token(reader.logits(), options, random.uniform(static_cast<uint64_t>(i)));
    reader.append(next);
    written.push_back(static_cast<char>(next));
    token(written.back());
  }
  return written;
}

}  // namespace pleat::train
