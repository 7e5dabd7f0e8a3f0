// SPDX-License-Identifier: Apache-2.0
// A checkpoint's manifest: refused with a DataError, or equal to what it is written as again.
#include <cstdint>
#include <cstdlib>

#include "base/errors.h"
#include "checkpoint/store.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pleat;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const std::string written = checkpoint::to_text(checkpoint::manifest_from_text(text, "input"));
    if (checkpoint::to_text(checkpoint::manifest_from_text(written, "written")) != written) std::abort();
  } catch (const base::DataError&) {
  }
  return 0;
}
