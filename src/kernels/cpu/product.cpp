// SPDX-License-Identifier: Apache-2.0
// Which product this processor does, found by asking it once per bind.
#include "kernels/cpu/product.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace pleat::kernels::cpu {
namespace {

/// Linux hands out the large tile state on request; every thread of the process may then use it.
bool tiles_granted() {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

struct Features {
  bool avx512_bf16 = false;
  bool amx_bf16 = false;
};

Features features() {
  __builtin_cpu_init();
  Features found;
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (!avx512) return found;
  if (__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx)) found.avx512_bf16 = (eax >> 5) & 1;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) {
    const bool tiles = ((edx >> 24) & 1) && ((edx >> 22) & 1);  // amx-tile, amx-bf16
    found.amx_bf16 = tiles && tiles_granted();
  }
  return found;
}

}  // namespace

Instructions best_instructions() {
  const Features found = features();
  if (found.amx_bf16) return Instructions::amx;
  return found.avx512_bf16 ? Instructions::avx512_bf16 : Instructions::simd;
}

Product::Product(base::DType operands, Instructions limit) {
  multiply_ = multiply_f32;
  if (operands != base::DType::bf16) return;
  const Features found = features();
  if (found.amx_bf16 && limit >= Instructions::amx) {
    instructions_ = Instructions::amx;
    multiply_ = multiply_amx;
  } else if (found.avx512_bf16 && limit >= Instructions::avx512_bf16) {
    instructions_ = Instructions::avx512_bf16;
    multiply_ = multiply_avx512_bf16;
  } else {
    return;
  }
  form_ = Form::bf16;
}

TileScope::TileScope(const Product& product) : held_(product.instructions() == Instructions::amx) {
  if (held_) hold_tiles();
}

TileScope::~TileScope() {
  if (held_) release_tiles();
}

}  // namespace pleat::kernels::cpu
