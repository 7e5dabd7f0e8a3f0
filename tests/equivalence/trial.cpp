// SPDX-License-Identifier: Apache-2.0
#include "trial.h"

#include <memory>
#include <mutex>

#include "base/errors.h"
#include "compile/compile.h"
#include "data/sampler.h"
#include "parts.h"
#include "run/crew.h"
#include "train/feed.h"
#include "train/request.h"
#include "train/weights.h"

namespace pleat::equivalence {
namespace {

/// What the ranks write into, one at a time.
struct Page {
  std::mutex mutex;
  StepRecord* step = nullptr;
  double loss = 0, tokens = 0;
};

/// The ports of training, with the step's micro-batches from a Feed; what comes out goes into the page.
class Recorder final : public run::Ports {
 public:
  Recorder(const config::Job& job, const Program& program, base::Rank rank, const data::Sampler& sampler,
           const int64_t& first_step, train::Board& board, Page& page)
      : job_(job),
        program_(program),
        rank_(rank),
        feed_(job, program, rank, sampler, first_step, board),
        page_(page) {}

  void fill(std::string_view port, int64_t turn, int micro_batch, std::span<std::byte> bytes) override {
    feed_.fill(port, turn, micro_batch, bytes);
  }

  void take(std::string_view port, int64_t, int micro_batch, std::span<const std::byte> bytes) override {
    if (!port.starts_with("gradient.") && port != "loss" && port != "grad_norm" && port != "metric.loss" &&
        port != "metric.tokens")
      return;
    const std::vector<double> values = as_doubles(bytes, output_dtype(program_, rank_, port));
    const std::lock_guard lock(page_.mutex);
    if (port == "grad_norm") page_.step->grad_norm = values[0];
    if (port == "metric.loss") page_.loss = values[0];
    if (port == "metric.tokens") page_.tokens = values[0];
    if (port == "loss") take_token_losses(micro_batch, values);
    if (port.starts_with("gradient.")) take_gradient(std::string(port.substr(9)), values);
  }

 private:
  void take_token_losses(int micro_batch, const std::vector<double>& values) {
    std::vector<double>& all = page_.step->token_losses;
    all.resize(static_cast<size_t>(job_.train.global_batch * job_.train.sequence));
    const int64_t sample =
        train::first_sample(job_, 0, micro_batch, program_.layout.coordinate(rank_, layout::Axis::dp));
    std::copy(values.begin(), values.end(), all.begin() + sample * job_.train.sequence);
  }

  void take_gradient(const std::string& parameter, const std::vector<double>& values) {
    for_each_slot(program_, rank_, [&](const StateSlot& slot) {
      if (slot.name == parameter && slot.role == program::Role::master)
        join(page_.step->gradients, parameter, slot.global.elements(), first_element(program_, rank_, slot),
             values);
    });
  }

  const config::Job& job_;
  const Program& program_;
  base::Rank rank_;
  train::Feed feed_;
  Page& page_;
};

/// One compiled job with its ranks.
class Trial {
 public:
  Trial(const config::Job& job, const TrialOptions& options)
      : job_(job),
        program_(compile::compile(request(job))),
        file_(job.data.train),
        sampler_(file_,
                 {job.train.sequence, static_cast<uint64_t>(job.train.seed), job.data.separate_documents}),
        board_(job_, program_, [](train::StepOutcome) {}),
        crew_(program_,
              [this](base::Rank rank) {
                return std::make_unique<Recorder>(job_, program_, rank, sampler_, done_, board_, page_);
              },
              {options.order, options.shuffle_seed, 0, {}, {}}),
        from_(options.from) {}

  Recording run() {
    Recording recording;
    recording.steps.resize(static_cast<size_t>(job_.train.steps));
    crew_.each([&](base::Rank id, run::Rank& rank) {
      train::initialise(program_, id, rank, job_.model, static_cast<uint64_t>(job_.train.seed));
    });
    for (StepRecord& step : recording.steps) {
      if (from_ != nullptr) put(from_->steps[static_cast<size_t>(done_)].before);
      step.before = state();
      page_.step = &step;
      crew_.run(1);
      step.loss = page_.loss / page_.tokens;
      ++done_;
    }
    recording.after = state();
    return recording;
  }

 private:
  static compile::Request request(const config::Job& job) {
    compile::Request request = train::train_request(job, 1);
    request.emit = {"loss"};
    request.emit_gradients = true;
    return request;
  }

  void put(const State& state) {
    crew_.each([&](base::Rank id, run::Rank& rank) { put_state(program_, id, rank, state); });
  }

  State state() {
    State all;
    std::mutex mutex;
    crew_.each([&](base::Rank id, run::Rank& rank) {
      const std::lock_guard lock(mutex);
      for_each_slot(program_, id, [&](const StateSlot& slot) {
        join(all[static_cast<size_t>(slot.role)], slot.name, slot.global.elements(),
             first_element(program_, id, slot), as_doubles(rank.state(slot), slot.region.type.dtype));
      });
    });
    return all;
  }

  config::Job job_;
  Program program_;
  data::TokenFile file_;
  data::Sampler sampler_;
  Page page_;
  train::Board board_;
  int64_t done_ = 0;
  run::Crew crew_;
  const Recording* from_;
};

}  // namespace

Recording record(const config::Job& job, const TrialOptions& options) {
  return Trial(job, options).run();
}

}  // namespace pleat::equivalence
