// SPDX-License-Identifier: Apache-2.0
#include "cli/job_arguments.h"

#include "train/request.h"

namespace pleat::cli {

void JobArguments::add_to(Command& command) {
  command.argument("JOB.yaml", file, "the job file");
  command.arguments("key.path", overrides,
                    "key.path=value: changes a key of the job (pleat train --help lists them)", false);
}

config::Job JobArguments::read() const {
  return config::read_job(file, overrides);
}

config::Job JobArguments::read_complete() const {
  return train::with_model(read());
}

}  // namespace pleat::cli
