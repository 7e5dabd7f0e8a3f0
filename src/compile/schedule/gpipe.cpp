// SPDX-License-Identifier: Apache-2.0
#include "compile/schedule/schedule.h"

namespace pleat::compile {

std::vector<Work> gpipe(int, int, int micro_batches) {
  std::vector<Work> order;
  for (int m = 0; m < micro_batches; ++m) order.push_back({program::Phase::forward, m});
  for (int m = 0; m < micro_batches; ++m) order.push_back({program::Phase::backward, m});
  return order;
}

}  // namespace pleat::compile
