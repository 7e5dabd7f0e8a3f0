// SPDX-License-Identifier: Apache-2.0
// Included before <hwy/foreach_target.h>: kernels are compiled for AVX2 and for AVX-512. Without AVX2 nothing
// here is bound (cpu.cpp refuses and the catalogue goes on to ref), so Highway's slower fallbacks are left
// out.
#pragma once
#define HWY_BASELINE_TARGETS HWY_AVX2
#define HWY_DISABLED_TARGETS (HWY_SCALAR | HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
