// SPDX-License-Identifier: Apache-2.0
// The numbers of one AdamW update, worked out once a step in double and rounded once.
#pragma once

namespace pleat::kernels::cpu {

struct AdamWNumbers {
  float factor = 1, learning_rate = 0, beta1 = 0, one_minus_beta1 = 1, beta2 = 0, one_minus_beta2 = 1;
  float correction1 = 1, correction2 = 1;  // 1 / (1 - beta^step)
  float eps = 0, weight_decay = 0;
};

}  // namespace pleat::kernels::cpu
