// SPDX-License-Identifier: Apache-2.0
// A job file: refused with a JobError, or printed as a job that reads back and prints the same.
#include "config/job.h"

#include <cstdint>
#include <cstdlib>

#include "base/errors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pleat;
  config::Job job;
  try {
    job = config::parse_job({reinterpret_cast<const char*>(data), size}, "input");
  } catch (const base::JobError&) {
    return 0;
  }
  const std::string printed = config::print_job(job);
  if (config::print_job(config::parse_job(printed, "printed")) != printed) std::abort();
  return 0;
}
