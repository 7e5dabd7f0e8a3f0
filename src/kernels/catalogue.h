// SPDX-License-Identifier: Apache-2.0
// The kernels of this build as catalogue rows, fastest first, the reference last.
#pragma once
#include "target/catalogue.h"

namespace pleat::kernels {

target::Catalogue catalogue();
/// Only kernels/ref.
target::Catalogue reference_catalogue();

}  // namespace pleat::kernels
