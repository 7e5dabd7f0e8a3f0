// SPDX-License-Identifier: Apache-2.0
// One token file that lives as long as a test, and jobs over it.
#pragma once
#include <string>
#include <vector>

#include "tiny_job.h"

namespace pleat::equivalence {

using testing::TinyModel;
using Overrides = std::vector<std::string>;

class Jobs {
 public:
  Jobs() { testing::write_tokens(folder_ / "tokens"); }
  config::Job job(TinyModel model, const Overrides& overrides, const Overrides& more = {}) const {
    Overrides all = overrides;
    all.insert(all.end(), more.begin(), more.end());
    return testing::tiny_job(model, folder_ / "tokens", all);
  }

 private:
  testing::TemporaryFolder folder_;
};

}  // namespace pleat::equivalence
