// SPDX-License-Identifier: Apache-2.0
#include "train/request.h"

#include <algorithm>

#include "base/errors.h"
#include "kernels/catalogue.h"
#include "model/families/hugging_face_config.h"

namespace pleat::train {

config::Job with_model(config::Job job) {
  if (job.model.family == config::Family::unset && !job.model_directory.empty()) {
    job.model = model::read_hugging_face_config(job.model_directory);
    config::check_job(job);
  }
  return job;
}

layout::Layout layout_of(const config::LayoutSettings& l, const std::string& where) {
  return layout::Layout({l.tp, l.cp, l.dp, l.pp, l.vpp, l.ep, l.etp, where});
}

Dtypes dtypes_of(config::Precision precision) {
  switch (precision) {
    case config::Precision::fp64:
      return {base::DType::f64, base::DType::f64};
    case config::Precision::bf16:
      return {base::DType::bf16, base::DType::f32};
    case config::Precision::fp32:
      break;
  }
  return {};
}

int threads_of(const layout::Layout& layout, int cores) {
  return std::max(1, cores / static_cast<int>(layout.world()));
}

program::Order order_of(const config::Job& job) {
  return job.run.executor == config::Executor::queues ? program::Order::queues : program::Order::in_order;
}

compile::Request train_request(const config::Job& job, int cores) {
  compile::Request request;
  request.model = job.model;
  request.layout = layout_of(job.layout, job.where("layout.ep"));
  request.activation = dtypes_of(job.precision).activation;
  request.exact = dtypes_of(job.precision).exact;
  request.micro_batch = job.train.micro_batch;
  request.sequence = job.train.sequence;
  request.micro_batches = job.micro_batches();
  request.schedule = job.schedule;
  request.optimizer = job.optimizer;
  request.catalogue = kernels::catalogue();
  request.where = [job](std::string_view key) { return job.where(key); };
  request.threads =
      job.run.threads > 0 ? static_cast<int>(job.run.threads) : threads_of(request.layout, cores);
  return request;
}

int64_t window_of(int64_t asked, const config::ModelConfig& model) {
  constexpr int64_t kUnasked = 256;
  const int64_t most = model.max_position_embeddings;
  if (asked > most)
    base::fail<base::JobError>(
        "a window of {} tokens is more than the model's max_position_embeddings {}: choose 1 to {}", asked,
        most, most);
  return asked > 0 ? asked : std::min(most, kUnasked);
}

int64_t first_sample(const config::Job& job, int64_t step, int64_t micro_batch, int64_t dp_rank) {
  const int64_t g = micro_batch * job.layout.dp + dp_rank;
  return step * job.train.global_batch + g * job.train.micro_batch;
}

}  // namespace pleat::train
