// SPDX-License-Identifier: Apache-2.0
#include "train/train.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/errors.h"
#include "checkpoint/store.h"
#include "data/sampler.h"
#include "run/crew.h"
#include "train/evaluate.h"
#include "train/events.h"
#include "train/feed.h"
#include "train/metrics.h"
#include "train/progress.h"
#include "train/recorder.h"
#include "train/replace_file.h"
#include "train/request.h"
#include "train/run_directory.h"
#include "train/run_profile.h"
#include "train/run_report.h"
#include "train/weights.h"
#include "verify/verify.h"

namespace pleat::train {
namespace {

namespace fs = std::filesystem;
using base::fail;
using base::JobError;

// After the warm-up, in which memory comes to its final size: a few, while the others know nothing of it.
constexpr int64_t kRecordedSteps = 5;

void check_can_train(const config::Job& job) {
  if (job.run.directory.empty()) fail<JobError>("run.directory is empty: say where the run shall lie");
  if (job.data.train.empty())
    fail<JobError>("data.train is empty: name a token file (pleat data tokenize makes one)");
}

/// One run: what lives as long as the ranks do.
class Training {
 public:
  Training(const config::Job& job, const TrainOptions& options, const Host& host)
      : job_(with_model(job)),
        options_(options),
        host_(host),
        directory_(options.resume ? *options.resume : fs::path(job.run.directory)) {
    job_.run.directory = directory_.string();
  }

  TrainResult run() {
    if (options_.resume) check_resumed(directory_);
    check_can_train(job_);
    if (!options_.resume) check_unused(directory_);
    prepare_data();
    program_ = compile::compile(train_request(job_, host_.cores));
    const verify::Report proof = verify::verify(program_);
    if (!proof.ok())
      fail<base::CheckError>("the Program does not verify; nothing was run\n{}", verify::to_text(proof));
    make_directory(directory_);
    find_checkpoint();
    start_ranks();
    open_logs();  // last: a start that failed leaves nothing that would make the directory a used one
    loop();
    return finish();
  }

 private:
  int64_t last_step() const {
    return options_.stop_after > 0 ? std::min(options_.stop_after, job_.train.steps) : job_.train.steps;
  }

  void prepare_data() {
    file_ = std::make_unique<data::TokenFile>(job_.data.train);
    file_->check_vocabulary(job_.model.vocab_size);
    if (!job_.data.held_out.empty())
      data::TokenFile(job_.data.held_out).check_vocabulary(job_.model.vocab_size);
    const data::SampleOptions sampling{job_.train.sequence, static_cast<uint64_t>(job_.train.seed),
                                       job_.data.separate_documents};
    sampler_ = std::make_unique<data::Sampler>(*file_, sampling);
  }

  void find_checkpoint() {
    if (!options_.resume) return;
    const checkpoint::Found found = checkpoint::newest_complete(directory_);
    for (const std::string& note : found.notes) host_.say(note + "\n");
    if (!found.checkpoint) {
      host_.say(fmt::format("{} holds no complete checkpoint: starting at step 0\n", directory_.string()));
      return;
    }
    reader_ = std::make_unique<checkpoint::Reader>(*found.checkpoint);
    first_ = done_ = reader_->manifest().step;
    const config::Job saved =
        config::parse_job(reader_->manifest().job, (*found.checkpoint / "manifest.json").string());
    check_continues({job_, identity_of(*file_)}, {saved, reader_->manifest().data},
                    found.checkpoint->string());
    host_.say(fmt::format("resuming after step {} from {}\n", done_, found.checkpoint->string()));
    if (done_ >= last_step())
      host_.say(fmt::format("no step is left to do: this run was to end at step {}\n", last_step()));
  }

  void open_logs() {
    replace_file(directory_ / "job.yaml", config::print_job(job_));
    cut_back(directory_ / "metrics.jsonl", done_);
    metrics_ = std::make_unique<MetricsWriter>(directory_ / "metrics.jsonl");
    events_ = std::make_unique<EventWriter>(directory_, host_.name, host_.wall(),
                                            options_.resume ? std::optional(done_) : std::nullopt);
    progress_ = std::make_unique<Progress>(
        host_.terminal ? Progress::Medium::terminal : Progress::Medium::pipe, done_, last_step(), 2.0);
  }

  void start_ranks() {
    recorder_ = std::make_unique<Recorder>(program_, static_cast<int>(kRecordedSteps), host_.thread_clock);
    memory_.resident_before = host_.resident_bytes();
    board_ =
        std::make_unique<Board>(job_, program_, [this](StepOutcome outcome) { on_step(std::move(outcome)); });
    run::Options options;
    options.order = order_of(job_);
    options.stall_seconds = 300;
    options.clock = host_.clock;
    crew_ = std::make_unique<run::Crew>(
        program_,
        [this](base::Rank rank) {
          return std::make_unique<Feed>(job_, program_, rank, *sampler_, done_, *board_);
        },
        options);
    crew_->each([this](base::Rank id, run::Rank& rank) { fill_state(id, rank); });
  }

  void fill_state(base::Rank id, run::Rank& rank) {
    if (reader_) {
      for (const checkpoint::Slice& slice : slices(program_, id, rank, false)) reader_->read(slice);
    } else if (!job_.model_directory.empty()) {
      read_hugging_face(program_, id, rank, job_.model, checkpoint::SafetensorsFolder(job_.model_directory));
    } else {
      initialise(program_, id, rank, job_.model, static_cast<uint64_t>(job_.train.seed));
    }
  }

  void on_step(StepOutcome outcome) {
    StepMetrics& m = outcome.metrics;
    const double now = host_.clock();
    m.seconds = now - last_time_;
    m.tokens_per_s = static_cast<double>(job_.train.global_batch * job_.train.sequence) / m.seconds;
    last_time_ = now;
    last_loss_ = m.loss;
    metrics_->write(m);
    events_->write(m, host_.wall());
    if (!outcome.applied) {
      const std::string text = fmt::format("step {} is not finite: {}", m.step, outcome.offender);
      if (job_.guard == config::GuardPolicy::stop)
        fail<base::CheckError>("{}; the update was discarded (guard: skip would go on)", text);
      host_.say(progress_->note(text + "; the update was discarded"));
    }
    host_.say(progress_->step(m, now, host_.resident_bytes()));
  }

  /// In stretches that end where something must be done between steps.
  void loop() {
    last_time_ = host_.clock();
    const int64_t last = last_step(), every = job_.checkpoint.every;
    const int64_t warm = std::min(last, first_ + kWarmUpSteps);
    const int64_t recorded_from = warm < last ? warm : first_;  // a run that short is recorded as it is
    const int64_t recorded_to = std::min(last, recorded_from + kRecordedSteps);
    while (done_ < last) {
      int64_t next = last;
      if (every > 0) next = std::min(next, (done_ / every + 1) * every);
      for (const int64_t stop : {warm, recorded_to})
        if (done_ < stop) next = std::min(next, stop);
      if (done_ == recorded_from) record(true);
      crew_->run(next - done_);
      done_ = next;
      if (done_ == recorded_to) record(false);
      if (done_ == warm) measure_memory();
      if (done_ == last || (every > 0 && done_ % every == 0)) save();
    }
    host_.say(progress_->finish());
  }

  void record(bool on) {
    crew_->each(
        [&](base::Rank id, run::Rank& rank) { rank.tell_times(on ? recorder_->start(id) : run::Times()); });
  }

  void measure_memory() {
    memory_.resident_after = host_.resident_bytes();
    memory_.predicted.resize(static_cast<size_t>(program_.layout.world()));
    memory_.touched.resize(memory_.predicted.size());
    crew_->each([this](base::Rank id, run::Rank& rank) {
      memory_.predicted[static_cast<size_t>(id.value)] = rank.arena_bytes();
      memory_.touched[static_cast<size_t>(id.value)] = rank.highest_touched();
    });
    host_.say(progress_->note(memory_line(memory_)));
    last_time_ = host_.clock();
  }

  void save() {
    checkpoint::Writer writer(directory_, done_, static_cast<int>(program_.layout.world()),
                              {static_cast<int>(job_.checkpoint.keep), options_.fault});
    crew_->each([&](base::Rank id, run::Rank& rank) {
      writer.write_shard(id.value, slices(program_, id, rank, true));
    });
    writer.commit(done_ * job_.train.global_batch * job_.train.sequence, config::print_job(job_),
                  identity_of(*file_));
    last_time_ = host_.clock();
  }

  TrainResult finish() {
    const bool finished = done_ >= job_.train.steps;
    const fs::path saved = checkpoint::checkpoint_path(directory_, done_) / "manifest.json",
                   model = directory_ / "final" / "config.json", held_out = directory_ / "held_out.json";
    // What others found out about final/ counts while final/ is not newer: it is not written again as it is.
    if (finished && !is_current(model, saved)) write_final();
    crew_.reset();  // its arenas make room for what follows
    if (done_ > first_) write_profile();
    if (finished && !job_.data.held_out.empty() && !is_current(held_out, model)) evaluate_held_out();
    write_run_report(directory_);
    return {first_, done_, last_loss_, finished};
  }

  void write_final() {
    HuggingFaceExport out(directory_ / "final", job_.model, base::DType::f32);
    crew_->each([&](base::Rank id, run::Rank& rank) { out.add(program_, id, rank); });
    out.commit();
  }

  /// A call that found nothing left to do keeps what the one before knew.
  void write_profile() {
    const std::string line =
        write_run_profile(directory_, job_, program_, memory_, *recorder_, first_, host_);
    if (!line.empty()) host_.say(progress_->note(line));
  }

  void evaluate_held_out() {
    const Evaluation result =
        evaluate({directory_ / "final", job_.data.held_out, job_.train.sequence, job_.precision}, host_);
    replace_file(directory_ / "held_out.json", evaluation_text(result));
    host_.say("held-out text: " + to_text(result));
    events_->write(done_, std::vector<Scalar>{{"held_out_loss", result.loss}}, host_.wall());
  }

  config::Job job_;
  TrainOptions options_;
  const Host& host_;
  fs::path directory_;
  program::Program program_;
  std::unique_ptr<data::TokenFile> file_;
  std::unique_ptr<data::Sampler> sampler_;
  std::unique_ptr<checkpoint::Reader> reader_;
  std::unique_ptr<MetricsWriter> metrics_;
  std::unique_ptr<EventWriter> events_;
  std::unique_ptr<Progress> progress_;
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<Board> board_;
  std::unique_ptr<run::Crew> crew_;
  MemoryFigures memory_;
  int64_t first_ = 0, done_ = 0;  // steps: before this call, so far
  double last_time_ = 0, last_loss_ = 0;
};

}  // namespace

TrainResult train(const config::Job& job, const TrainOptions& options, const Host& host) {
  return Training(job, options, host).run();
}

}  // namespace pleat::train
