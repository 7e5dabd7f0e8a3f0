// SPDX-License-Identifier: Apache-2.0
// The terms of a gradient, one counted token at a time: the same backward with all loss weights but one at
// zero.
#include <cmath>
#include <memory>

#include "compile/compile.h"
#include "data/sampler.h"
#include "parts.h"
#include "run/crew.h"
#include "train/feed.h"
#include "train/request.h"
#include "trial.h"

namespace pleat::equivalence {
namespace {

/// Turn t of a run is token t mod T of micro-batch t / T, T tokens each.
class Probe final : public run::Ports {
 public:
  Probe(const config::Job& job, const Program& program, const data::Sampler& sampler, const int64_t& step,
        train::Board& board, Tensors& sums)
      : program_(program),
        tokens_(job.train.micro_batch * job.train.sequence),
        feed_(job, program, base::Rank(0), sampler, step, board),
        sums_(sums) {}

  void fill(std::string_view port, int64_t turn, int, std::span<std::byte> bytes) override {
    feed_.fill(port, 0, static_cast<int>(turn / tokens_), bytes);
    const int64_t token = turn % tokens_;
    const bool auxiliary = port.starts_with("seed.") && port != "seed.loss";  // counts once in a micro-batch
    if (auxiliary && token != 0) std::memset(bytes.data(), 0, bytes.size());
    if (port != "loss_weights") return;
    for (int64_t i = 0; i < tokens_; ++i)
      if (i != token) std::memset(bytes.data() + i * static_cast<int64_t>(sizeof(float)), 0, sizeof(float));
  }

  void take(std::string_view port, int64_t, int, std::span<const std::byte> bytes) override {
    if (!port.starts_with("gradient.")) return;
    const std::vector<double> term = as_doubles(bytes, output_dtype(program_, base::Rank(0), port));
    std::vector<double>& sum = sums_[std::string(port.substr(9))];
    sum.resize(term.size());
    for (size_t i = 0; i < term.size(); ++i) sum[i] += std::abs(term[i]);
  }

 private:
  const Program& program_;
  int64_t tokens_;
  train::Feed feed_;
  Tensors& sums_;
};

}  // namespace

std::vector<Tensors> magnitudes(const config::Job& job, const Recording& of) {
  compile::Request request = train::train_request(job, 1);
  request.purpose = compile::Purpose::gradients;
  request.micro_batches = 1;
  const Program program = compile::compile(request);
  const data::TokenFile file(job.data.train);
  const data::Sampler sampler(
      file, {job.train.sequence, static_cast<uint64_t>(job.train.seed), job.data.separate_documents});
  train::Board board(job, program, [](train::StepOutcome) {});
  int64_t step = 0;
  Tensors sums;
  run::Crew crew(
      program, [&](base::Rank) { return std::make_unique<Probe>(job, program, sampler, step, board, sums); },
      {});
  std::vector<Tensors> result;
  for (; step < static_cast<int64_t>(of.steps.size()); ++step) {
    sums.clear();
    crew.each([&](base::Rank id, run::Rank& rank) {
      put_state(program, id, rank, of.steps[static_cast<size_t>(step)].before);
    });
    crew.run(job.train.global_batch * job.train.sequence);
    result.push_back(sums);
  }
  return result;
}

}  // namespace pleat::equivalence
