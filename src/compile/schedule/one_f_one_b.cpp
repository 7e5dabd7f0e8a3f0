// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "compile/schedule/schedule.h"

namespace pleat::compile {

std::vector<Work> one_f_one_b(int stage, int stages, int micro_batches) {
  const int warm_up = std::min(stages - 1 - stage, micro_batches);
  std::vector<Work> order;
  for (int m = 0; m < warm_up; ++m) order.push_back({program::Phase::forward, m});
  for (int m = 0; m < micro_batches; ++m) {
    if (warm_up + m < micro_batches) order.push_back({program::Phase::forward, warm_up + m});
    order.push_back({program::Phase::backward, m});
  }
  return order;
}

std::vector<Work> schedule_of(config::Schedule schedule, int stage, int stages, int micro_batches) {
  switch (schedule) {
    case config::Schedule::gpipe:
      return gpipe(stage, stages, micro_batches);
    case config::Schedule::one_f_one_b:
      return one_f_one_b(stage, stages, micro_batches);
  }
  return {};
}

}  // namespace pleat::compile
