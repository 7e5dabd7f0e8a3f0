// SPDX-License-Identifier: Apache-2.0
// JOB.yaml [key.path=value ...], as train, verify, simulate, print and bench take it.
#pragma once
#include <string>
#include <vector>

#include "cli/command.h"
#include "config/job.h"

namespace pleat::cli {

struct JobArguments {
  std::string file;
  std::vector<std::string> overrides;

  void add_to(Command& command);
  /// The job as written.
  config::Job read() const;
  /// The same with the model of its model.directory.
  config::Job read_complete() const;
};

}  // namespace pleat::cli
