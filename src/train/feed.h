// SPDX-License-Identifier: Apache-2.0
// A training rank's ports: micro-batches from the sampler and the step's scalars in, metrics out to the
// board.
#pragma once
#include "config/job.h"
#include "data/sampler.h"
#include "run/run.h"
#include "train/board.h"

namespace pleat::train {

class Feed final : public run::Ports {
 public:
  /// `first_step`: steps done before the first turn. All references outlive the feed.
  Feed(const config::Job& job, const program::Program& program, base::Rank rank, const data::Sampler& sampler,
       const int64_t& first_step, Board& board);

  void fill(std::string_view port, int64_t turn, int micro_batch, std::span<std::byte> bytes) override;
  void take(std::string_view port, int64_t turn, int micro_batch, std::span<const std::byte> bytes) override;

 private:
  void read_samples(int64_t step, int micro_batch);
  double token_seed(int64_t step);

  const config::Job& job_;
  const program::Program& program_;
  base::Rank rank_;
  const data::Sampler& sampler_;
  const int64_t& first_step_;
  Board& board_;
  data::Sample micro_batch_;  // the one being loaded
  int64_t loaded_step_ = -1;
  int loaded_micro_batch_ = -1;
  std::vector<float> scratch_weights_;
};

}  // namespace pleat::train
