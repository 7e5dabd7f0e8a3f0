// SPDX-License-Identifier: Apache-2.0
// This machine as a Target: rates read off it in a tenth of a second, for predictions of its own runs.
#pragma once
#include "target/catalogue.h"
#include "train/host.h"

namespace pleat::train {

/// Product rates of one core through the catalogue's own kernels, copy rates of one core and of all.
target::Target measure_target(const Host& host);

}  // namespace pleat::train
