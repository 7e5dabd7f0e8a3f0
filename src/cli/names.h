// SPDX-License-Identifier: Apache-2.0
// Words of the command line that name values of the job or its layout.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "config/job.h"
#include "layout/layout.h"

namespace pleat::cli {

/// JobError with the legal names.
config::Precision precision_named(std::string_view name);

/// --rank: JobError when the layout has none of this number.
base::Rank rank_of(int64_t number, const layout::Layout& layout);

/// layout.<axis>=size words, checked as a job's keys are; JobError for any other key.
config::LayoutSettings layout_settings(std::span<const std::string> overrides);

}  // namespace pleat::cli
