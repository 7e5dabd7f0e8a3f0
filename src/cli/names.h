// SPDX-License-Identifier: Apache-2.0
// Words of the command line that name values of the job.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "config/job.h"

namespace pleat::cli {

/// JobError with the legal names.
config::Precision precision_named(std::string_view name);

/// layout.<axis>=size words, checked as a job's keys are; JobError for any other key.
config::LayoutSettings layout_settings(std::span<const std::string> overrides);

}  // namespace pleat::cli
