// SPDX-License-Identifier: Apache-2.0
#include "train/feed.h"

#include <numeric>

#include "train/port_values.h"
#include "train/request.h"

namespace pleat::train {

Feed::Feed(const config::Job& job, const program::Program& program, base::Rank rank,
           const data::Sampler& sampler, const int64_t& first_step, Board& board)
    : job_(job),
      program_(program),
      rank_(rank),
      sampler_(sampler),
      first_step_(first_step),
      board_(board),
      micro_batch_(program.tokens) {}

void Feed::read_samples(int64_t step, int micro_batch) {
  if (step == loaded_step_ && micro_batch == loaded_micro_batch_) return;
  const int64_t dp_rank = program_.layout.coordinate(rank_, layout::Axis::dp);
  const int64_t first = first_sample(job_, step, micro_batch, dp_rank), s = job_.train.sequence;
  for (int64_t i = 0; i < job_.train.micro_batch; ++i)
    sampler_.sample(first + i, micro_batch_.view(i * s, s));
  loaded_step_ = step;
  loaded_micro_batch_ = micro_batch;
}

/// 1 / counted tokens of the global batch. Without document boundaries every token counts; else all samples
/// are read.
double Feed::token_seed(int64_t step) {
  const int64_t batch = job_.train.global_batch, s = job_.train.sequence;
  if (!job_.data.separate_documents) return 1.0 / static_cast<double>(batch * s);
  data::Sample sample(s);
  double counted = 0;
  for (int64_t i = 0; i < batch; ++i) {
    sampler_.sample(step * batch + i, sample.view());
    counted = std::accumulate(sample.weights.begin(), sample.weights.end(), counted);
  }
  return counted > 0 ? 1.0 / counted : 0.0;
}

void Feed::fill(std::string_view port, int64_t turn, int micro_batch, std::span<std::byte> bytes) {
  const int64_t step = first_step_ + turn;  // 0-based
  if (fill_of_step(port, bytes, job_, step, [&] { return token_seed(step); })) return;
  read_samples(step, micro_batch);
  copy_sample(micro_batch_, port, bytes);
}

void Feed::take(std::string_view port, int64_t turn, int, std::span<const std::byte> bytes) {
  if (program_.layout.coordinate(rank_, layout::Axis::dp) != 0) return;  // the copies say the same
  board_.add(first_step_ + turn + 1, program_.layout.stage_of(rank_).value, port, bytes);
}

}  // namespace pleat::train
