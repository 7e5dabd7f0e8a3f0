// SPDX-License-Identifier: Apache-2.0
// A Hugging Face config.json: refused with a DataError or a JobError, or a model's shape.
#include <cstdint>

#include "base/errors.h"
#include "model/families/hugging_face_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pleat;
  try {
    model::parse_hugging_face_config({reinterpret_cast<const char*>(data), size}, "input");
  } catch (const base::DataError&) {
  } catch (const base::JobError&) {
  }
  return 0;
}
