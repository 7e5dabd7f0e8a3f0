// SPDX-License-Identifier: Apache-2.0
// From a job to the request that compile answers, and what both sides of a run must agree on: which samples a
// micro-batch holds.
#pragma once
#include "compile/compile.h"
#include "config/job.h"

namespace pleat::train {

/// Reads model.directory's config.json when the job names one, so that job.model is complete.
config::Job with_model(config::Job job);

/// `where` the settings were written; may be empty.
layout::Layout layout_of(const config::LayoutSettings& settings, const std::string& where);

/// What a precision means: the dtype of activations, and that of everything that stays exact.
struct Dtypes {
  base::DType activation = base::DType::f32, exact = base::DType::f32;
};
Dtypes dtypes_of(config::Precision precision);

/// Workers of a rank where all ranks share the machine's cores.
int threads_of(const layout::Layout& layout, int cores);

/// As the job's executor walks lists.
program::Order order_of(const config::Job& job);

/// `cores`: of this machine, for the workers of a rank where the job does not say how many.
compile::Request train_request(const config::Job& job, int cores);

/// Tokens that a finished model looks at in one turn: what is asked for (JobError when the model has fewer
/// positions), or for 0 as many as it has, at most 256.
int64_t window_of(int64_t asked, const config::ModelConfig& model);

/// First global sample of a micro-batch: micro-batch g = m DP + d of the step belongs to data-parallel rank
/// d. `step` is 0-based.
int64_t first_sample(const config::Job& job, int64_t step, int64_t micro_batch, int64_t dp_rank);

}  // namespace pleat::train
