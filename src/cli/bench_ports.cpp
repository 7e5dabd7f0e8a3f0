// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_ports.h"

#include <algorithm>

#include "data/permutation.h"
#include "train/port_values.h"

namespace pleat::cli {
namespace {

class RandomTokens final : public run::Ports {
 public:
  RandomTokens(const config::Job& job, base::Rank rank)
      : job_(job), rank_(rank), sample_(job.train.micro_batch * job.train.sequence) {
    std::fill(sample_.weights.begin(), sample_.weights.end(), 1.0F);
  }

  void fill(std::string_view port, int64_t step, int micro_batch, std::span<std::byte> bytes) override {
    const auto tokens = static_cast<double>(job_.train.global_batch * job_.train.sequence);
    if (train::fill_of_step(port, bytes, job_, step, [&] { return 1.0 / tokens; })) return;
    draw(step, micro_batch);
    train::copy_sample(sample_, port, bytes);
  }
  void take(std::string_view, int64_t, int, std::span<const std::byte>) override {}

 private:
  void draw(int64_t step, int micro_batch) {
    if (step == step_ && micro_batch == micro_batch_) return;
    for (size_t i = 0; i < sample_.tokens.size(); ++i) {
      const auto t = static_cast<int64_t>(i);
      sample_.tokens[i] = token(step, micro_batch, t);
      sample_.targets[i] = token(step, micro_batch, t + 1);
      sample_.positions[i] = static_cast<int32_t>(t % job_.train.sequence);
    }
    step_ = step, micro_batch_ = micro_batch;
  }

  int32_t token(int64_t step, int micro_batch, int64_t t) const {
    const uint64_t block = (static_cast<uint64_t>(step) << 32) ^ (static_cast<uint64_t>(micro_batch) << 16) ^
                           static_cast<uint64_t>(rank_.value);
    const uint64_t word = data::mix(data::mix(block) + static_cast<uint64_t>(t));
    return static_cast<int32_t>(word % static_cast<uint64_t>(job_.model.vocab_size));
  }

  const config::Job& job_;
  base::Rank rank_;
  data::Sample sample_;  // the micro-batch being loaded
  int64_t step_ = -1;
  int micro_batch_ = -1;
};

}  // namespace

std::unique_ptr<run::Ports> bench_ports(const config::Job& job, base::Rank rank) {
  return std::make_unique<RandomTokens>(job, rank);
}

}  // namespace pleat::cli
