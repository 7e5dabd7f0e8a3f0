// SPDX-License-Identifier: Apache-2.0
// Ports of a training Program without a token file: random ids, the scalars of a step. Metrics are dropped.
#pragma once
#include <memory>

#include "config/job.h"
#include "run/run.h"

namespace pleat::cli {

/// `job` outlives the ports.
std::unique_ptr<run::Ports> bench_ports(const config::Job& job, base::Rank rank);

}  // namespace pleat::cli
