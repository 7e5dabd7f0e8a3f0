// SPDX-License-Identifier: Apache-2.0
// The text of a Program: refused with a DataError, or equal to what it is written as again.
#include <cstdint>
#include <cstdlib>

#include "base/errors.h"
#include "program/program.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pleat;
  program::Program program;
  try {
    program = program::from_text({reinterpret_cast<const char*>(data), size});
  } catch (const base::DataError&) {
    return 0;
  }
  const std::string written = program::to_text(program);
  if (program::to_text(program::from_text(written)) != written) std::abort();
  return 0;
}
