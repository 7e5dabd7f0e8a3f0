// SPDX-License-Identifier: Apache-2.0
#include "train/board.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/errors.h"
#include "compile/squares.h"

namespace pleat::train {
namespace {

template <class T>
std::vector<double> doubles(std::span<const std::byte> bytes) {
  std::vector<double> values(bytes.size() / sizeof(T));
  for (size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<double>(value);
  }
  return values;
}

/// The busiest expert's load over the mean load.
double imbalance(const std::vector<double>& loads) {
  const double sum = std::accumulate(loads.begin(), loads.end(), 0.0);
  if (sum == 0) return 0;
  return *std::max_element(loads.begin(), loads.end()) * static_cast<double>(loads.size()) / sum;
}

}  // namespace

Board::Board(const config::Job& job, const program::Program& program, Done done)
    : job_(job), program_(program), done_(std::move(done)) {}

void Board::add(int64_t step, int stage, std::string_view port, std::span<const std::byte> bytes) {
  const auto type = std::find_if(program_.outputs.begin(), program_.outputs.end(),
                                 [&](const program::Port& p) { return p.stage == stage && p.name == port; });
  if (type == program_.outputs.end())
    base::fail<base::CheckError>("stage {} has no output '{}'", stage, port);
  const base::DType dtype = type->region.type.dtype;
  const std::lock_guard lock(mutex_);
  Open& open = open_[step];
  open.values[std::string(port)] = dtype == base::DType::f64   ? doubles<double>(bytes)
                                   : dtype == base::DType::i32 ? doubles<int32_t>(bytes)
                                                               : doubles<float>(bytes);
  if (++open.ports < program_.outputs.size()) return;
  StepOutcome result = outcome(step, open.values);
  open_.erase(step);
  done_(std::move(result));
}

StepOutcome Board::outcome(int64_t step, const Values& values) const {
  const auto scalar = [&](std::string_view name) { return values.find(name)->second[0]; };
  StepOutcome result;
  StepMetrics& m = result.metrics;
  m.step = step;
  m.loss = scalar("metric.loss") / scalar("metric.tokens");
  const int64_t micro_batches = job_.train.global_batch / job_.train.micro_batch;
  for (const char* name : {"balance_loss", "z_loss"})
    if (values.contains("metric." + std::string(name)))
      m.auxiliary.emplace_back(name,
                               scalar("metric." + std::string(name)) / static_cast<double>(micro_batches));
  m.grad_norm = scalar("grad_norm");
  m.lr = config::learning_rate(job_.optimizer, job_.train.steps, step);
  m.tokens = step * job_.train.global_batch * job_.train.sequence;
  double balance = 0;
  int layers = 0;
  for (const auto& [name, loads] : values)
    if (name.starts_with("metric.router.")) balance += imbalance(loads), ++layers;
  if (layers > 0) m.balance = balance / layers;
  result.applied = scalar("guard") != 0;
  if (result.applied) return result;
  result.offender = std::isfinite(m.loss) ? "" : "the loss; ";
  const std::vector<double>& squares = values.find("squares")->second;
  for (size_t i = 0; i < squares.size(); ++i) {
    if (std::isfinite(squares[i])) continue;
    result.offender +=
        fmt::format("the gradient of {}", compile::squares_name(job_.model, static_cast<int64_t>(i)));
    break;
  }
  return result;
}

}  // namespace pleat::train
